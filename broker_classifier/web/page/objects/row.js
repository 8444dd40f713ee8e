// One row of the list: its cells, made once and filled again and again.
import { objectPath } from "../common/api.js";
import { classColour } from "../common/colours.js";
import { el, setStyle, setText } from "../common/dom.js";
import { count, duration, fixed, percent, sexagesimal, utc } from "../common/format.js";
import { drawRow } from "./row_drawing.js";

export const COLUMNS = [
  { key: "class", text: "Class", title: "The most probable class", sort: "class" },
  { key: "p", text: "Probability", title: "Its probability", sort: "probability" },
  { key: "object", text: "Object", title: "Id, survey and bundle", sort: "object" },
  { key: "curve", text: "Light curve", title: "Flux of the points used; below, the classes given alert by alert" },
  { key: "bits", text: "Bits", title: "Information that the light curve gave", sort: "bits" },
  { key: "points", text: "Points", title: "Points used", sort: "points" },
  { key: "age", text: "Age", title: "From the first point used to the newest alert, days", sort: "age" },
  { key: "changes", text: "Changes", title: "How often the class changed", sort: "changes" },
  { key: "position", text: "Position", title: "J2000" },
  { key: "seen", text: "Newest", title: "Time of the newest alert; when its answer came", sort: "newest" },
];
let number = 0;

export function blankRow() {
  const cell = Object.fromEntries(COLUMNS.map(({ key }) => [key, el("span", { class: `c ${key}`, role: "cell" })]));
  const swatch = el("i");
  const name = el("b");
  cell.class.append(swatch, name);
  const bar = el("i");
  const value = el("span");
  cell.p.append(value, el("span", { class: "bar", "aria-hidden": "true" }, bar));
  const link = el("a", { tabindex: "-1" });
  const about = el("small");
  cell.object.append(link, about);
  const canvas = el("canvas", { "aria-hidden": "true" });
  const history = el("span", { class: "hidden" });
  cell.curve.append(canvas, history);
  const [ra, sky] = [el("span"), el("small")];
  cell.position.append(ra, sky);
  const [when, ago] = [el("span"), el("small")];
  cell.seen.append(when, ago);
  number += 1;
  const node = el("div", { class: "row", role: "row", id: `row-${number}` }, Object.values(cell));
  return { node, cell, swatch, name, bar, value, link, about, canvas, history, ra, sky, when, ago, drawn: null, index: -1 };
}

/** Fill a row with an object, or show that it is on its way. */
export function fillRow(made, row, index, isActive) {
  made.index = index;
  made.node.setAttribute("aria-rowindex", String(index + 2));
  made.node.classList.toggle("active", isActive);
  made.node.classList.toggle("pending", !row);
  if (!row || made.drawn === row) return;
  made.drawn = row;
  const colour = classColour(row.top_class);
  setStyle(made.swatch, { background: colour });
  setText(made.name, row.top_class);
  setText(made.value, percent(row.probability));
  setStyle(made.bar, { width: `${100 * row.probability}%`, background: colour });
  setText(made.link, row.object_id);
  made.link.href = objectPath(row);
  setText(made.about, `${row.survey} · ${row.bundle}`);
  setText(made.cell.bits, fixed(row.bits, 2));
  setText(made.cell.points, count(row.n_points));
  setText(made.cell.age, `${fixed(row.last_mjd - row.first_mjd, 0)} d`);
  setText(made.cell.changes, row.n_changes ? String(row.n_changes) : "");
  setText(made.ra, row.ra === null ? "–" : `${fixed(row.ra, 5)} ${row.dec < 0 ? "" : "+"}${fixed(row.dec, 5)}`);
  setText(made.sky, row.ra === null ? "" : sexagesimal(row.ra, row.dec));
  setText(made.when, utc(row.last_mjd));
  setText(made.ago, `came ${duration(Math.max(1, Date.now() / 1000 - row.seen))} ago`);
  setText(made.history, row.runs.map(([name, n]) => `${name}, ${n} answers`).join("; then "));
  drawRow(made.canvas, row);
}
