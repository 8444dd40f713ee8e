// The head of every page: where one is, whether data come, the time, light or dark.
import { el, setText } from "./dom.js";
import { fixed, mjdNow, utc } from "./format.js";

const PAGES = [["home", "/", "Objects"], ["bundle", "/bundle", "Bundles"], ["health", "/health", "Health"]];
const THEMES = ["auto", "light", "dark"];

export function drawFrame(head, kind, version) {
  applyTheme(localStorage.getItem("theme") ?? "auto");
  const state = el("span", { class: "state", role: "status" }, el("i"), el("span", {}, "Connecting"));
  const clock = el("time", { class: "clock" });
  const theme = el("button", { class: "quiet theme", type: "button", onclick: () => nextTheme(theme) });
  labelTheme(theme);
  head.append(
    el("a", { class: "brand", href: "/", title: `broker-classifier ${version}` }, mark(), el("b", {}, "broker"), el("span", {}, "classifier")),
    el("nav", { "aria-label": "Pages" }, PAGES.map(([name, path, text]) =>
      el("a", { href: path, "aria-current": name === kind || (name === "home" && kind === "object") ? "page" : null }, text))),
    el("span", { class: "grow" }), state, clock, theme,
  );
  const tick = () => setText(clock, `${utc(mjdNow(), true)} UTC · MJD ${fixed(mjdNow(), 4)}`);
  tick();
  setInterval(tick, 1000);
  return {
    /** Say how the data come: kind is live, waiting or offline. */
    setState({ kind: stateKind, text }) {
      state.dataset.kind = stateKind;
      state.title = text;
      setText(state.lastChild, text.length > 44 ? `${text.slice(0, 43)}…` : text);
    },
  };
}

function mark() {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 32 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", "M2 21 9 17 13 4 17 9 21 16 30 20");
  const star = document.createElementNS(ns, "circle");
  for (const [name, value] of [["cx", 13], ["cy", 4], ["r", 3.2]]) star.setAttribute(name, value);
  svg.append(path, star);
  return svg;
}

function nextTheme(button) {
  const current = localStorage.getItem("theme") ?? "auto";
  const next = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length];
  localStorage.setItem("theme", next);
  applyTheme(next);
  labelTheme(button);
  dispatchEvent(new Event("themechange"));
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

function labelTheme(button) {
  const theme = document.documentElement.dataset.theme;
  setText(button, { auto: "◐", light: "○", dark: "●" }[theme]);
  button.setAttribute("aria-label", `Colours: ${theme}. Change them.`);
  button.title = `Colours: ${theme}`;
}
