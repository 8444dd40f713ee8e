// Balanced accuracy with its interval, and calibration error, at every cut.
import { inks } from "../common/colours.js";
import { label, line, scale } from "../common/canvas.js";
import { el } from "../common/dom.js";
import { count, fixed } from "../common/format.js";

const [LEFT, BOTTOM, TOP] = [34, 44, 44];

export function drawScores(context, width, height, canvas, cuts, isGrouped, at) {
  const ink = inks(canvas);
  const x = scale(0, cuts.length - 1, LEFT + 12, width - 16);
  const y = scale(0, 1, height - BOTTOM, TOP);
  for (const value of [0, 0.25, 0.5, 0.75, 1]) {
    line(context, LEFT, Math.round(y(value)) + 0.5, width - 6, Math.round(y(value)) + 0.5, ink.line);
    label(context, String(value).replace(/^0\./, "."), LEFT - 5, y(value), ink.dim, "right");
  }
  const scores = cuts.map((cut) => (isGrouped && cut.groups) || cut.classes);
  scores.forEach((score, i) => {
    const interval = score.balanced_accuracy_95;
    if (interval) line(context, x(i), y(interval[0]), x(i), y(interval[1]), ink.accent, 2);
  });
  drawDots(context, scores.map((score, i) => [x(i), y(score.balanced_accuracy)]), ink.accent, at);
  drawDots(context, scores.map((score, i) => [x(i), y(score.ece)]), ink.dim, at);
  label(context, "balanced accuracy, with its 95 % interval", LEFT, 10, ink.accent);
  label(context, "calibration error", LEFT, 26, ink.dim);
  const every = Math.ceil((cuts.length * 46) / width);
  cuts.forEach((cut, i) => {
    const [key, ...words] = cut.name.split(" ");
    if (i % every) return;
    label(context, key === "whole" ? "all" : key, x(i), height - BOTTOM + 14, i === at ? ink.text : ink.dim, "center");
    if (key !== "whole") label(context, { detection: "det.", detections: "det.", of: "span" }[words[0]] ?? words[0] ?? "", x(i), height - BOTTOM + 28, ink.dim, "center");
  });
}

function drawDots(context, places, colour, at) {
  context.fillStyle = colour;
  places.forEach(([x, y], i) => {
    context.beginPath();
    context.arc(x, y, i === at ? 6 : 3.5, 0, 2 * Math.PI);
    context.fill();
  });
}

export function scoreTable(cuts) {
  const heads = ["Known", "Objects", "Balanced accuracy", "of groups", "Calibration error"];
  return el("div", { class: "datatable", tabindex: "0", role: "region", "aria-label": "Scores at every cut" }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, cuts.map(({ name, classes, groups }) => el("tr", {}, [name, count(classes.n ?? 0), fixed(classes.balanced_accuracy, 2), fixed(groups?.balanced_accuracy, 2), fixed(classes.ece, 3)].map((text) => el("td", {}, text)))))));
}
