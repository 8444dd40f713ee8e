// One object in time: the light curve, what was said of it, and the moment that both are shown at.
import { drawn } from "../common/canvas.js";
import { el } from "../common/dom.js";
import { fixed, sexagesimal } from "../common/format.js";
import { bandLegend } from "./band_legend.js";
import { curveChart } from "./curve_chart.js";
import { valueRange } from "./light_curve.js";
import { answerBefore, answerOf, hasEqualPrior, pointsAround, timeRange } from "./moment.js";
import { fillContext, fillMoment } from "./moment_panel.js";
import { player, playerKeys } from "./player.js";
import { drawBits } from "./probabilities.js";
import { stackCharts } from "./stack_charts.js";
import { answerTable, lazyTable, pointTable } from "./tables.js";
import { degrees, otherPlaces, takeAway } from "./take_away.js";

const HINT = "Click a point to go back to its moment; ← and → step, space plays. A point's size is its attention; hollow points were not used; pale ones came later.";

/**
 * Make the view of an object's history, as the server gives it. `options` are what the address
 * says: bundle, at (an alert's id), y, hide, whole, input, prior.
 */
export function objectView(history, { options = {}, onOptions = () => {}, address = null } = {}) {
  const shown = {
    bundle: history.bundles.find(({ name }) => name === options.bundle) ?? history.bundles[0],
    k: -1, points: [], unit: options.y === "mag" ? "mag" : "flux", hidden: new Set(options.hide ?? ""),
    isWhole: options.whole === "1", hasInput: options.input !== "0", isEqualPrior: options.prior === "equal",
  };
  shown.k = placeOf(shown.bundle, ({ message }) => message.alert_id === options.at);
  const message = () => shown.bundle.answers[shown.k].message;
  const frame = () => ({ ...shown, range: timeRange(history.bundles, shown.isWhole), now: message().mjd });
  const go = (to) => {
    shown.k = Math.max(0, Math.min(shown.bundle.answers.length - 1, to));
    chart.rest();
    update();
  };
  const choose = (bundle, k = Math.max(0, answerBefore(bundle, message().mjd))) => {
    shown.bundle = bundle;
    fillCharts();
    go(k);
  };

  const play = player(go, () => ({ k: shown.k, n: shown.bundle.answers.length, message: message() }));
  const chart = curveChart(() => pictureOf(frame()), (point) => {
    play.toggle(false);
    go(answerOf(shown.bundle, point.mjd));
  });
  const bits = bitsChart(frame);
  const [legend, stackBox] = [el("div", { class: "legend", role: "group", "aria-label": "Bands" }), el("div")];
  const panel = el("section", { class: "card moment", "aria-live": "polite", "aria-label": "The answer at this moment" });
  const context = el("section", { class: "card" });
  const tables = [lazyTable("Table of the points", () => pointTable(shown.points)), lazyTable("Table of the answers", () => answerTable(shown.bundle, shown.isEqualPrior))];
  let stacks = null;
  const toggle = (text, key, on, off) => {
    const node = el("button", { type: "button", class: "toggle", "aria-pressed": String(shown[key] === on), onclick: () => {
      shown[key] = shown[key] === on ? off : on;
      node.setAttribute("aria-pressed", String(shown[key] === on));
      update();
    } }, text);
    return node;
  };
  const node = el("article", { class: "object-view" }, headOf(history), el("div", { class: "object-page" },
    el("section", { class: "card charts", "aria-label": "Light curve and classes" },
      el("div", { class: "bar-line" }, legend, el("span", { class: "grow" }), toggle("Magnitude", "unit", "mag", "flux"), toggle("Model's input", "hasInput", true, false),
        toggle("Whole history", "isWhole", true, false), history.bundles.some(hasEqualPrior) ? toggle("Equal prior", "isEqualPrior", true, false) : null),
      chart.node, stackBox, bits.node, play.node, el("p", { class: "hint" }, HINT), tables.map((table) => table.node)),
    el("aside", { class: "aside" }, panel, context,
      el("section", { class: "card" }, el("h2", {}, "Elsewhere"), otherPlaces(history)),
      takeAway(history, () => shown, () => [chart.canvas, ...stacks.canvases, bits.canvas], address))));

  function fillCharts() {
    legend.replaceChildren(...bandLegend(shown.bundle.points.band, shown.hidden, update));
    stacks = stackCharts(history.bundles, frame, choose, choose);
    stackBox.replaceChildren(...stacks.nodes);
  }

  /** Show the moment everywhere. */
  function update() {
    shown.points = pointsAround(shown.bundle, shown.k);
    play.set();
    chart.canvas.setAttribute("aria-label", inWords(history, message()));
    fillMoment(panel, shown.bundle, shown.k, shown.points, shown.isEqualPrior);
    fillContext(context, message());
    for (const part of [chart, stacks, bits]) part.redraw();
    for (const table of tables) table.set();
    onOptions(optionsOf(shown, history));
  }

  fillCharts();
  update();
  const forgetKeys = playerKeys(node, { step: (by) => go(shown.k + by), toggle: play.toggle });
  return {
    node,
    /** Take a newer history; who looks at the newest answer goes on to the next, others stay. */
    set(newer) {
      const wasLast = shown.k === shown.bundle.answers.length - 1;
      const { id } = message();
      Object.assign(history, newer);
      shown.bundle = history.bundles.find(({ name }) => name === shown.bundle.name) ?? history.bundles[0];
      shown.k = wasLast ? shown.bundle.answers.length - 1 : placeOf(shown.bundle, (answer) => answer.message.id === id);
      fillCharts();
      update();
    },
    close() {
      play.toggle(false);
      forgetKeys();
    },
  };
}

/** The place of the answer that is meant; the newest where there is none. */
function placeOf({ answers }, isMeant) {
  const k = answers.findIndex(isMeant);
  return k < 0 ? answers.length - 1 : k;
}

function pictureOf(frame) {
  const inSight = frame.points.filter((point) => !frame.hidden.has(point.band));
  return { ...frame, values: valueRange(inSight.length ? inSight : frame.points, frame.unit) };
}

function bitsChart(frame) {
  const canvas = el("canvas", { role: "img", "aria-label": "Bits of information of every answer; the table of the answers has the same." });
  const node = el("div", { class: "chart bits-chart" }, el("h3", {}, "Bits of information"), canvas);
  const draw = drawn(canvas, (context, width, height) => drawBits(context, width, height, canvas, frame()));
  const redraw = () => {
    node.hidden = !frame().bundle.answers.some(({ message }) => typeof message.information_bits === "number");
    draw();
  };
  return { node, canvas, redraw };
}

function headOf({ object_id: id, survey, ra, dec }) {
  return el("header", { class: "crumb" }, el("h1", {}, id), el("span", {}, survey),
    ra === null || ra === undefined ? null : el("span", { class: "place" }, `${degrees(ra, dec)} · ${sexagesimal(ra, dec)}`));
}

function inWords({ object_id: id }, message) {
  return `Light curve of ${id} at MJD ${fixed(message.mjd, 2)}: ${message.n_points_used} points used, ${message.class} ${fixed(message.probability, 2)}. The table of the points has the same.`;
}

/** What the address must say so that the same is shown again. */
function optionsOf({ bundle, k, unit, hidden, isWhole, hasInput, isEqualPrior }, history) {
  return {
    bundle: bundle === history.bundles[0] ? "" : bundle.name,
    at: k === bundle.answers.length - 1 ? "" : bundle.answers[k].message.alert_id,
    y: unit === "mag" ? "mag" : "", hide: [...hidden].join(""), whole: isWhole ? "1" : "", input: hasInput ? "" : "0", prior: isEqualPrior ? "equal" : "",
  };
}
