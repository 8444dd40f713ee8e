// The probabilities of every bundle, one under the other on the light curve's time axis.
import { drawn } from "../common/canvas.js";
import { el } from "../common/dom.js";
import { MARGIN } from "./light_curve.js";
import { answerBefore } from "./moment.js";
import { drawProbabilities } from "./probabilities.js";

/**
 * Make a chart for each bundle; `frame` gives {bundle, k, range, now, isEqualPrior}, `pick` gets a
 * bundle and the answer clicked, `choose` a bundle.
 */
export function stackCharts(bundles, frame, pick, choose) {
  const isAlone = bundles.length === 1;
  const charts = bundles.map((drawnBundle) => {
    const canvas = el("canvas", { role: "img", "aria-label": `Class probabilities of ${drawnBundle.name}, answer by answer; the table of the answers has the same.` });
    const redraw = drawn(canvas, (context, width, height) => {
      const { bundle, k, now } = frame();
      drawProbabilities(context, width, height, canvas, { ...frame(), bundle: drawnBundle, k: drawnBundle === bundle ? k : answerBefore(drawnBundle, now) });
    });
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const [low, high] = frame().range;
      const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
      pick(drawnBundle, Math.max(0, answerBefore(drawnBundle, low + share * (high - low))));
    });
    const title = isAlone
      ? el("h3", {}, "Class probabilities as published")
      : el("h3", {}, el("button", { type: "button", class: "toggle", "aria-pressed": String(drawnBundle === frame().bundle), onclick: () => choose(drawnBundle) }, drawnBundle.name), ` ${drawnBundle.answers.at(-1).message.model.version}`);
    return { node: el("div", { class: `chart probabilities${isAlone ? "" : " small"}` }, title, canvas), canvas, redraw };
  });
  return { nodes: charts.map(({ node }) => node), canvases: charts.map(({ canvas }) => canvas), redraw: () => charts.forEach(({ redraw }) => redraw()) };
}
