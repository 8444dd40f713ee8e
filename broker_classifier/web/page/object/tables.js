// The tables behind the canvases: what is drawn, to be read, copied, or heard.
import { el } from "../common/dom.js";
import { fixed, utc } from "../common/format.js";
import { classesOf, probabilitiesOf, REASONS } from "./moment.js";

/** A table that is made when it is opened, and again by `set` while it is open. */
export function lazyTable(title, make) {
  const place = el("div", { class: "datatable", tabindex: "0", role: "region", "aria-label": title });
  const node = el("details", { ontoggle: () => set() }, el("summary", {}, title), place);
  const set = () => node.open && place.replaceChildren(make());
  return { node, set };
}

const table = (heads, rows) => el("table", {},
  el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text)))),
  el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((text) => el("td", {}, text))))));

export const pointTable = (points) => table(
  ["UTC", "MJD", "Band", "Kind", "Flux, nJy", "Error", "Attention", "Not used"],
  points.filter((p) => !p.isLater).map((p) => [utc(p.mjd), fixed(p.mjd, 5), p.band, p.kind, p.flux === null ? "" : fixed(p.flux, 1), fixed(p.error, 1), p.attention === null ? "" : fixed(p.attention, 4), REASONS[p.reason] ?? p.reason]));

export function answerTable(bundle, isEqualPrior) {
  const names = classesOf(bundle);
  return table(["UTC", "MJD", "Class", ...names, "Bits", "Points", "Revised"], bundle.answers.map(({ message, earlier }) => [
    utc(message.mjd), fixed(message.mjd, 5), message.class, ...names.map((name) => fixed(probabilitiesOf(message, isEqualPrior)[name] ?? 0, 3)),
    fixed(message.information_bits, 2), String(message.n_points_used), earlier.length ? `${earlier.length}×` : ""]));
}
