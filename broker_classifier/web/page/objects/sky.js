// The sky in Aitoff's projection: right ascension grows to the left, 0 h is in the middle.
import { classColour, inks } from "../common/colours.js";
import { drawn, FONT, label } from "../common/canvas.js";
import { el, setText } from "../common/dom.js";
import { count, fixed } from "../common/format.js";

const CONE_ARCSEC = 7200;
const RAD = Math.PI / 180;

/** Project degrees onto the ellipse of half-axes 2 and 1. */
export function aitoff(ra, dec) {
  const lon = -(((ra + 540) % 360) - 180) * RAD;
  const lat = dec * RAD;
  const alpha = Math.acos(Math.cos(lat) * Math.cos(lon / 2));
  const sinc = alpha < 1e-9 ? 1 : Math.sin(alpha) / alpha;
  return [(4 / Math.PI) * Math.cos(lat) * Math.sin(lon / 2) / sinc, ((2 / Math.PI) * Math.sin(lat)) / sinc];
}

export function skyMap(choose) {
  const canvas = el("canvas", { role: "img", "aria-label": "Map of the sky; the table below it has the same numbers" });
  const hint = el("p", { class: "hint" }, "Click to list what lies within 2° of a place.");
  const table = el("details", {}, el("summary", {}, "Data table"), el("div", { class: "datatable" }));
  const node = el("section", { class: "card sky", "aria-label": "Sky" }, el("h2", {}, "Sky"), canvas, hint, table);
  let cells = [];
  let cone = null;
  const place = (width, height) => {
    const unit = Math.min(width / 4.1, height / 2.1);
    return (ra, dec) => {
      const [x, y] = aitoff(ra, dec);
      return [width / 2 + unit * x, height / 2 - unit * y];
    };
  };
  const redraw = drawn(canvas, (context, width, height) => {
    const at = place(width, height);
    const ink = inks(canvas);
    drawGrid(context, at, ink);
    const most = cells.reduce((sum, [, , n]) => Math.max(sum, n), 1);
    context.globalAlpha = 0.85;
    for (const [ra, dec, n, name] of cells) {
      const [x, y] = at(ra, dec);
      context.fillStyle = classColour(name);
      context.beginPath();
      context.arc(x, y, 1.4 + 3 * Math.sqrt(n / most) * (most > 1 ? 1 : 0.4), 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    drawHours(context, at, ink);
    if (cone) {
      const [x, y] = at(cone.ra, cone.dec);
      context.strokeStyle = ink.accent;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 8, 0, 2 * Math.PI);
      context.stroke();
    }
  });
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const at = place(box.width, box.height);
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const [unitX, unitY] = [at(0, 0)[0], at(0, 0)[1]];
    const position = inverse((px - unitX) / Math.min(box.width / 4.1, box.height / 2.1), (unitY - py) / Math.min(box.width / 4.1, box.height / 2.1));
    if (position) choose({ ra: fixed(position[0], 3), dec: position[1].toFixed(3), radius: String(CONE_ARCSEC), text: "" });
  });
  table.addEventListener("toggle", () => table.open && fillTable(table.lastChild, cells));
  return {
    node,
    set(given, filters) {
      cells = given;
      cone = filters.ra ? { ra: Number(filters.ra), dec: Number(filters.dec) } : null;
      setText(hint, cone ? `Within ${filters.radius}″ of ${filters.ra} ${filters.dec}` : "Click to list what lies within 2° of a place.");
      if (table.open) fillTable(table.lastChild, cells);
      redraw();
    },
  };
}

/** Undo the projection by Newton's way of small steps; null outside of the ellipse. */
function inverse(x, y) {
  if ((x / 2) ** 2 + y ** 2 > 1) return null;
  let [ra, dec] = [0, 0];
  let best = Infinity;
  for (let step = 60; step > 0.01; step /= 2) {
    for (let i = -3; i <= 3; i += 1) {
      for (let j = -3; j <= 3; j += 1) {
        const [a, d] = [ra + i * step, Math.max(-90, Math.min(90, dec + j * step))];
        if (Math.abs(a) > 180) continue;
        const [px, py] = aitoff(a, d);
        const off = (px - x) ** 2 + (py - y) ** 2;
        if (off < best) [best, ra, dec] = [off, a, d];
      }
    }
  }
  return [(ra + 360) % 360, dec];
}

function drawHours(context, at, { text, panel }) {
  for (const [ra, hour] of [[120, "8h"], [60, "4h"], [0, "0h"], [-60, "20h"], [-120, "16h"]]) {
    const [x, y] = at(ra, 0);
    context.strokeStyle = panel;
    context.lineWidth = 3;
    context.font = FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.strokeText(hour, x, y);
    label(context, hour, x, y, text, "center");
  }
}

function drawGrid(context, at, { line: grid }) {
  context.strokeStyle = grid;
  context.lineWidth = 1;
  const trace = (points) => {
    context.beginPath();
    points.forEach(([ra, dec], i) => (i ? context.lineTo(...at(ra, dec)) : context.moveTo(...at(ra, dec))));
    context.stroke();
  };
  const range = (from, to, step) => Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
  for (const dec of [-60, -30, 0, 30, 60]) trace(range(-179.99, 179.99, 359.98 / 72).map((ra) => [ra, dec]));
  for (const ra of [-179.99, -120, -60, 0, 60, 120, 179.99]) trace(range(-90, 90, 5).map((dec) => [ra, dec]));
}

function fillTable(node, cells) {
  node.replaceChildren(el("table", {}, el("caption", {}, "Objects by place, the fullest 200 places"),
    el("thead", {}, el("tr", {}, ["RA, °", "Dec, °", "Objects", "Most frequent class"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, [...cells].sort((a, b) => b[2] - a[2]).slice(0, 200).map(([ra, dec, n, name]) =>
      el("tr", {}, [fixed(ra, 2), fixed(dec, 2), count(n), name].map((text) => el("td", {}, text)))))));
}
