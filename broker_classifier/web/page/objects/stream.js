// Answers as they come, newest first; it stands still while somebody reads.
import { objectPath } from "../common/api.js";
import { classColour } from "../common/colours.js";
import { el, setText } from "../common/dom.js";
import { count, percent } from "../common/format.js";

const MOST = 40;
const WINDOW_MS = 10_000;

export function streamList() {
  const list = el("ol", { class: "stream", tabindex: "0", "aria-label": "Newest answers" });
  const rate = el("span", { class: "rate" });
  const pause = el("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => setPaused(!isPaused) }, "Pause");
  const node = el("section", { class: "card streamcard", "aria-label": "Stream" }, el("header", {}, el("h2", {}, "Stream"), rate, pause), list);
  const empty = el("li", { class: "empty" }, "New answers appear here.");
  list.append(empty);
  let isPaused = false;
  let waiting = [];
  let heard = [];

  function setPaused(value) {
    isPaused = value;
    pause.setAttribute("aria-pressed", String(value));
    setText(pause, value ? "Go on" : "Pause");
    flush();
  }
  const isRead = () => isPaused || list.matches(":hover") || list.matches(":focus-within");
  function flush() {
    if (!waiting.length) return;
    node.classList.toggle("held", isRead());
    if (isRead()) return;
    const fresh = waiting.slice(0, MOST).map(item);
    waiting = [];
    empty.remove();
    list.prepend(...fresh);
    while (list.children.length > MOST) list.lastChild.remove();
  }
  list.addEventListener("pointerleave", flush);
  list.addEventListener("focusout", () => setTimeout(flush));
  setInterval(() => {
    const now = performance.now();
    heard = heard.filter(([at]) => at > now - WINDOW_MS);
    const perSecond = heard.reduce((sum, [, n]) => sum + n, 0) / (WINDOW_MS / 1000);
    setText(rate, perSecond >= 0.05 ? `${perSecond >= 10 ? count(perSecond) : perSecond.toFixed(1)} objects/s` : "quiet");
  }, 1000);

  return {
    node,
    /** Take news; `isOld` are answers of before, which say nothing of the rate. */
    add({ rows, n_objects: n }, isOld) {
      if (!isOld) heard.push([performance.now(), n]);
      waiting = [...rows, ...waiting].slice(0, MOST);
      flush();
    },
  };
}

function item(row) {
  const changed = row.runs.length > 1 && row.runs.at(-1)[1] === 1;
  return el("li", {},
    el("i", { style: { background: classColour(row.top_class) } }),
    el("a", { href: objectPath(row) }, row.object_id),
    el("b", { title: changed ? `was ${row.runs.at(-2)[0]}` : null }, row.top_class, changed ? el("span", { class: "turn", title: "changed its class" }, " ⟲") : null),
    el("span", {}, percent(row.probability)));
}
