// A confusion matrix: rows are true classes, shares of a row are shades of the accent.
import { classColour, inks } from "../common/colours.js";
import { label } from "../common/canvas.js";
import { el } from "../common/dom.js";
import { count, fixed } from "../common/format.js";

const LEFT = 106;
const TOP = 70;

export function drawConfusion(context, width, height, canvas, names, counts) {
  const ink = inks(canvas);
  const n = names.length;
  const size = Math.min((width - LEFT - 6) / n, (height - TOP - 6) / n);
  names.forEach((name, i) => {
    const total = counts[i].reduce((sum, value) => sum + value, 0);
    label(context, shortened(name), LEFT - 8, TOP + (i + 0.5) * size, ink.text, "right");
    context.save();
    context.translate(LEFT + (i + 0.5) * size, TOP - 8);
    context.rotate(-Math.PI / 5);
    label(context, shortened(name), 0, 0, ink.text, "left");
    context.restore();
    counts[i].forEach((value, j) => {
      const share = total ? value / total : 0;
      const [x, y] = [LEFT + j * size, TOP + i * size];
      context.fillStyle = ink.line;
      context.globalAlpha = 0.35;
      context.fillRect(x + 1, y + 1, size - 2, size - 2);
      context.fillStyle = i === j ? classColour(name.split("+")[0]) : ink.accent;
      context.globalAlpha = total ? 0.08 + 0.92 * share : 0;
      context.fillRect(x + 1, y + 1, size - 2, size - 2);
      context.globalAlpha = 1;
      if (total && share >= 0.005) label(context, fixed(100 * share, 0), x + size / 2, y + size / 2, ink.text, "center");
    });
  });
}

const shortened = (name) => (name.length > 14 ? `${name.slice(0, 13)}…` : name);

export function confusionRows(names, counts) {
  return el("table", {}, el("caption", {}, "Objects of each true class, by the class given"),
    el("thead", {}, el("tr", {}, ["True class", ...names].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, names.map((name, i) => el("tr", {}, el("th", { scope: "row" }, name), counts[i].map((value) => el("td", {}, count(value)))))));
}
