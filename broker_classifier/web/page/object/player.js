// The moment as a slider: stepped, dragged or played.
import { el, setText } from "../common/dom.js";
import { fixed, utc } from "../common/format.js";

const FRAME_MS = 450;

/** Make the player; `go` is called with the number of an answer, `now` gives {k, n, message}. */
export function player(go, now) {
  let timer = null;
  const slider = el("input", { type: "range", min: "0", "aria-label": "Moment", oninput: () => go(Number(slider.value)) });
  const output = el("output", {});
  const play = el("button", { type: "button", class: "toggle", onclick: () => toggle() });
  const step = (text, name, to) => el("button", { type: "button", class: "toggle", "aria-label": name, onclick: () => go(to()) }, text);

  function toggle(isOn = timer === null) {
    clearInterval(timer);
    timer = null;
    if (isOn) {
      if (now().k === now().n - 1) go(0);
      timer = setInterval(() => (now().k < now().n - 1 ? go(now().k + 1) : toggle(false)), FRAME_MS);
    }
    setText(play, timer === null ? "▶" : "❚❚");
    play.setAttribute("aria-label", timer === null ? "Play" : "Pause");
  }
  toggle(false);

  return {
    node: el("div", { class: "player" }, step("⇤", "First answer", () => 0), step("←", "Answer before", () => now().k - 1), play,
      step("→", "Next answer", () => now().k + 1), step("⇥", "Newest answer", () => now().n - 1), slider, output),
    toggle,
    set() {
      const { k, n, message } = now();
      slider.max = String(n - 1);
      slider.value = String(k);
      slider.setAttribute("aria-valuetext", `answer ${k + 1} of ${n}, ${utc(message.mjd)} UTC`);
      setText(output, `${k + 1} of ${n} · ${utc(message.mjd)} · MJD ${fixed(message.mjd, 2)}`);
    },
  };
}

/** Let the keys of a whole page step, jump and play, but for those that a control wants itself. */
export function playerKeys(node, { step, toggle }) {
  const onKey = (event) => {
    const isTaken = event.target.closest("input, select, textarea, button, summary, a, pre, .datatable");
    if (isTaken || event.ctrlKey || event.metaKey || event.altKey || !node.isConnected) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by) step(by);
    else if (event.key === " ") toggle();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
