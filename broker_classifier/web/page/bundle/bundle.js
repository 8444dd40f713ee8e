// A bundle: what it is, its card, its confusion matrix at any cut, examples of its test objects.
import { ask } from "../common/api.js";
import { drawn } from "../common/canvas.js";
import { el, notice, setText } from "../common/dom.js";
import { count, fixed } from "../common/format.js";
import { start } from "../common/start.js";
import { confusionRows, drawConfusion } from "./confusion.js";
import { drawScores, scoreTable } from "./scores.js";

const PICTURES = { "examples.png": "Test objects, one of each class", "reliability.png": "Reliability", "accuracy.png": "Accuracy against detections and days", "attention.png": "Where the attention lies" };

async function show(main, frame) {
  frame.setState({ kind: "live", text: "From disk" });
  let names;
  let content;
  const given = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  try {
    names = await ask("/api/bundles");
    if (!names.length) {
      main.replaceChildren(notice("No bundles here", "The setting web.bundles names the folder whose bundles are shown; it has none."));
      return;
    }
    content = await ask(`/api/bundles/${encodeURIComponent(given || names[0])}`);
  } catch (error) {
    main.replaceChildren(notice("This bundle cannot be shown", error.message, el("p", {}, el("a", { href: "/bundle" }, "To the bundles"))));
    return;
  }
  const { description } = content;
  document.title = `${description.name} · broker-classifier`;
  main.replaceChildren(
    el("nav", { class: "bundle-picker", "aria-label": "Bundles" }, names.map((name) => el("a", { href: `/bundle/${encodeURIComponent(name)}`, "aria-current": name === description.name ? "page" : null }, name))),
    el("header", { class: "crumb" }, el("h1", {}, description.name), el("span", { class: "place" }, `${description.version} · ${description.survey} · ${description.architecture?.replaceAll("_", " ") ?? ""}`)),
    el("div", { class: "columns" }, ...figures(content, whatItIs(description)),
      ...content.pictures.map((picture) => el("section", { class: "card picture" }, el("h2", {}, PICTURES[picture]), el("img", { src: `/api/bundles/${encodeURIComponent(description.name)}/${picture}`, alt: `${PICTURES[picture]} of ${description.name}`, loading: "lazy" }))),
      content.card ? card(content.card) : ""));
}

function whatItIs({ classes, selection, training }) {
  const lines = [];
  if (selection) lines.push(["Takes", `${selection.kinds?.join(" and ")} points in ${selection.bands?.join(", ")}`], ["Window", `${fixed(selection.window_days, 0)} days from the first point of the newest episode`], ["New episode", `after ${fixed(selection.episode_gap_days, 0)} days without a point`]);
  if (training) lines.push(["Trained on", `${training.data}, ${training.date}`], ["Recipe", String(training.recipe)]);
  const numbers = training?.n_objects ?? {};
  return el("section", { class: "card" }, el("h2", {}, "What it is"),
    el("dl", { class: "numbers" }, lines.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("table", {}, el("thead", {}, el("tr", {}, ["Class", ...Object.keys(numbers)].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, (classes ?? []).map((name) => el("tr", {}, el("td", {}, name), Object.values(numbers).map((by) => el("td", {}, count(by?.[name] ?? 0))))))));
}

function figures({ cuts, classes, groups }, about) {
  if (!cuts.length) return [about, el("section", { class: "card" }, el("h2", {}, "Figures"), el("p", { class: "hint" }, "This bundle came without metrics.json, as in an installed package. The card below has its figures."))];
  let isGrouped = cuts.some((cut) => cut.groups);
  let at = cuts.length - 1;
  const canvas = el("canvas", { role: "img" });
  const slider = el("input", { type: "range", min: "0", max: String(cuts.length - 1), value: String(at), "aria-label": "How much of the light curve is known", oninput: () => show(Number(slider.value)) });
  const output = el("output", {});
  const numbers = el("div", { class: "figures" });
  const tableBox = el("div", { class: "datatable" });
  const details = el("details", { ontoggle: () => fillTable() }, el("summary", {}, "Data table"), tableBox);
  const part = () => (isGrouped && cuts[at].groups) || cuts[at].classes;
  const names = () => (isGrouped && cuts[at].groups ? groups : classes);
  const redraw = drawn(canvas, (context, width, height) => drawConfusion(context, width, height, canvas, names(), part().confusion));
  const scores = el("canvas", { role: "img", "aria-label": "Balanced accuracy and calibration error at every cut; the data table has the same" });
  const redrawScores = drawn(scores, (context, width, height) => drawScores(context, width, height, scores, cuts, isGrouped, at));
  function fillTable() {
    if (details.open) tableBox.replaceChildren(confusionRows(names(), part().confusion));
  }
  function show(to) {
    at = to;
    const score = part();
    slider.setAttribute("aria-valuetext", cuts[at].name);
    setText(output, `after ${cuts[at].name}`.replace("after whole", "whole"));
    canvas.setAttribute("aria-label", `Confusion matrix, ${cuts[at].name}: balanced accuracy ${fixed(score.balanced_accuracy, 2)}`);
    numbers.replaceChildren(...[["Balanced accuracy", fixed(score.balanced_accuracy, 2)], ["Accuracy", fixed(score.accuracy, 2)], ["Macro-F1", fixed(score.macro_f1, 2)], ["Calibration error", fixed(score.ece, 3)], ["Objects", count(score.n ?? 0)]].map(([name, value]) => el("div", {}, el("b", {}, value), name)));
    redraw();
    redrawScores();
    fillTable();
  }
  const group = el("button", { type: "button", class: "toggle", "aria-pressed": String(isGrouped), onclick: () => {
    isGrouped = !isGrouped;
    group.setAttribute("aria-pressed", String(isGrouped));
    show(at);
  } }, "Groups");
  show(at);
  return [
    el("section", { class: "card confusion" }, el("header", {}, el("h2", {}, "Confusion matrix"), el("span", { class: "grow" }), cuts.some((cut) => cut.groups) ? group : null),
      el("div", { class: "cut" }, slider, output), numbers, canvas, el("p", { class: "hint" }, "Of each true class (a row), the share given to each class, under equal priors, on objects that the training has not seen."), details),
    el("div", { class: "aside" }, about, el("section", { class: "card scores" }, el("h2", {}, "From the first detection to the last"), scores, el("details", {}, el("summary", {}, "Data table"), scoreTable(cuts)))),
  ];
}

function card(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const table of parsed.querySelectorAll("table")) table.tabIndex = 0; // wide ones are scrolled
  return el("section", { class: "card card-text wide", "aria-label": "Card" }, ...parsed.body.childNodes);
}

start(show);
