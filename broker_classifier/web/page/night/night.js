// A night in one file: every object as a card, any of them opened to go back in time.
import { drawn } from "../common/canvas.js";
import { classColour, setColours } from "../common/colours.js";
import { el } from "../common/dom.js";
import { fixed } from "../common/format.js";
import { drawLightCurve, valueRange } from "../object/light_curve.js";
import { pointsAround, timeRange } from "../object/moment.js";
import { drawProbabilities } from "../object/probabilities.js";
import { objectView } from "../object/view.js";

const content = JSON.parse(document.getElementById("content").textContent);
const main = document.getElementById("main");
let opened = null;
setColours(content.colours);
addEventListener("hashchange", show);
show();

function show() {
  opened?.close();
  opened = null;
  const id = decodeURIComponent(location.hash.slice(1));
  const chosen = content.objects.find(({ history }) => history.object_id === id);
  if (!chosen) {
    main.replaceChildren(...night());
    return;
  }
  opened = objectView(chosen.history);
  main.replaceChildren(el("p", { class: "back" }, el("a", { href: "#" }, "← All objects"), chosen.truth ? el("span", {}, ` · truth ${chosen.truth}`) : null), opened.node);
  scrollTo(0, 0);
}

function night() {
  const { title, figures, checks, footnote, objects, classes } = content;
  return [
    el("header", { class: "crumb" }, el("h1", {}, "broker-classifier"), el("span", { class: "place" }, title)),
    el("div", { class: "figures" }, figures.map(([name, value]) => el("div", {}, el("b", {}, value), name))),
    el("ul", { class: "proof" }, checks.map(({ statement, holds, numbers }) => el("li", {}, el("b", { class: holds ? "right" : "wrong" }, holds ? "✓ " : "✗ "), statement, " ", el("small", {}, numbers)))),
    el("p", { class: "hint" }, "Each card: difference flux against time, the larger a point, the more attention the classifier pays to it; below, the class probabilities as they were published, alert by alert. Click a card to go back in time."),
    el("div", { class: "legend-line" }, classes.map((name) => el("span", {}, el("i", { style: { background: classColour(name) } }), name))),
    el("div", { class: "night" }, objects.map(card)),
    el("p", { class: "hint" }, footnote),
  ];
}

function card({ history, truth }) {
  const [bundle] = history.bundles;
  const k = bundle.answers.length - 1;
  const { message } = bundle.answers[k];
  const picture = { bundle, k, range: timeRange([bundle], false), now: message.mjd, isEqualPrior: false, unit: "flux", hidden: new Set(), hasInput: false };
  const points = pointsAround(bundle, k).filter((point) => point.kind !== "forced" || point.reason === "");
  const curve = el("canvas", { "aria-hidden": "true" });
  const stack = el("canvas", { "aria-hidden": "true" });
  drawn(curve, (context, width, height) => drawLightCurve(context, width, height, curve, { ...picture, points, values: valueRange(points, "flux") }));
  drawn(stack, (context, width, height) => drawProbabilities(context, width, height, stack, picture));
  return el("a", { class: "card nightcard", href: `#${encodeURIComponent(history.object_id)}` },
    el("header", {}, el("h2", {}, history.object_id), el("span", { class: "grow" }), el("i", { style: { background: classColour(message.class) } }), el("b", {}, `${message.class} ${fixed(message.probability, 2)}`), truth === message.class ? el("b", { class: "right" }, "✓") : null),
    el("small", {}, truth ? `truth ${truth} · ` : "", `${k + 1} answers · ${message.n_points_used} points`), curve, stack);
}
