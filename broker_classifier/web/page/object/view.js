// One object in time: the light curve, what was said of it, and the moment that both are shown at.
import { drawn } from "../common/canvas.js";
import { bandColour, traceShape } from "../common/colours.js";
import { paint } from "../common/canvas.js";
import { el, setText } from "../common/dom.js";
import { fixed, sexagesimal, utc } from "../common/format.js";
import { drawLightCurve, MARGIN, pointText, valueRange } from "./light_curve.js";
import { answerBefore, answerOf, pointsAround, timeRange } from "./moment.js";
import { fillContext, fillMoment } from "./moment_panel.js";
import { drawBits, drawProbabilities } from "./probabilities.js";
import { answerTable, lazyTable, pointTable } from "./tables.js";
import { degrees, fileName, otherPlaces, pythonFor, saveCsv, saveJson, savePicture } from "./take_away.js";

const NEAR_PX = 16;
const FRAME_MS = 450;

/**
 * Make the view of an object's history, as the server gives it. `options` are what the address
 * says: bundle, at (an alert's id), y, hide, whole, input, prior.
 */
export function objectView(history, { options = {}, onOptions = () => {}, address = null } = {}) {
  const chosen = { y: options.y === "mag" ? "mag" : "flux", hidden: new Set(options.hide ?? ""), isWhole: options.whole === "1", hasInput: options.input !== "0", isEqualPrior: options.prior === "equal" };
  let bundle = history.bundles.find((one) => one.name === options.bundle) ?? history.bundles[0];
  let k = bundle.answers.findIndex(({ message }) => message.alert_id === options.at);
  if (k < 0) k = bundle.answers.length - 1;
  let points = [];
  let placed = [];
  let hovered = null;
  let timer = null;

  const curve = el("canvas", { tabindex: "0", role: "img" });
  const bits = el("canvas", { role: "img" });
  const tip = el("div", { class: "tip", role: "tooltip", hidden: true });
  const slider = el("input", { type: "range", min: "0", "aria-label": "Moment", oninput: () => go(Number(slider.value)) });
  const output = el("output", {});
  const play = el("button", { type: "button", class: "toggle", "aria-label": "Play", onclick: () => setPlaying(timer === null) }, "▶");
  const panel = el("section", { class: "card moment", "aria-live": "polite", "aria-label": "The answer at this moment" });
  const context = el("section", { class: "card" });
  const legend = el("div", { class: "legend", role: "group", "aria-label": "Bands" });
  const stacks = el("div");
  const tables = [lazyTable("Table of the points", () => pointTable(points)), lazyTable("Table of the answers", () => answerTable(bundle, chosen.isEqualPrior))];
  const curveBox = el("div", { class: "chart curve" }, curve, tip);
  const bitsTitle = el("h3", {}, "Bits of information");
  const bitsBox = el("div", { class: "chart bits-chart" }, bits);

  const frame = () => ({ bundle, k, range: timeRange(history.bundles, chosen.isWhole), now: bundle.answers[k].message.mjd, isEqualPrior: chosen.isEqualPrior });
  const redrawCurve = drawn(curve, (canvas2d, width, height) => {
    const shown = points.filter((point) => !chosen.hidden.has(point.band));
    placed = drawLightCurve(canvas2d, width, height, curve, { ...frame(), points, hidden: chosen.hidden, unit: chosen.y, values: valueRange(shown.length ? shown : points, chosen.y), hasInput: chosen.hasInput, hovered });
  });
  const redrawBits = drawn(bits, (canvas2d, width, height) => drawBits(canvas2d, width, height, bits, frame()));
  let redrawStacks = [];

  const button = (text, isOn, press) => {
    const node = el("button", { type: "button", class: "toggle", "aria-pressed": String(isOn()), onclick: () => {
      press();
      node.setAttribute("aria-pressed", String(isOn()));
      update();
    } }, text);
    return node;
  };
  const step = (text, name, by) => el("button", { type: "button", class: "toggle", "aria-label": name, onclick: () => go(k + by()) }, text);
  const node = el("article", { class: "object-view" },
    el("header", { class: "crumb" }, el("h1", {}, history.object_id), el("span", {}, history.survey),
      history.ra === null ? null : el("span", { class: "place" }, `${degrees(history.ra, history.dec)} · ${sexagesimal(history.ra, history.dec)}`)),
    el("div", { class: "object-page" },
      el("section", { class: "card charts", "aria-label": "Light curve and classes" },
        el("div", { class: "bar-line" }, legend, el("span", { class: "grow" }),
          button("Magnitude", () => chosen.y === "mag", () => { chosen.y = chosen.y === "mag" ? "flux" : "mag"; }),
          button("Model's input", () => chosen.hasInput, () => { chosen.hasInput = !chosen.hasInput; }),
          button("Whole history", () => chosen.isWhole, () => { chosen.isWhole = !chosen.isWhole; }),
          history.bundles.some((one) => one.answers.some(({ message }) => Object.keys(message.probabilities_equal_prior ?? {}).length)) ? button("Equal prior", () => chosen.isEqualPrior, () => { chosen.isEqualPrior = !chosen.isEqualPrior; }) : null),
        curveBox, stacks, bitsTitle, bitsBox,
        el("div", { class: "player" }, step("⇤", "First answer", () => -k), step("←", "Answer before", () => -1), play, step("→", "Next answer", () => 1), step("⇥", "Newest answer", () => bundle.answers.length), slider, output),
        el("p", { class: "hint" }, "Click a point to go back to its moment; ← and → step, space plays. A point's size is its attention; hollow points were not used; pale ones came later."),
        tables.map((one) => one.node)),
      el("aside", { class: "aside" }, panel, context,
        el("section", { class: "card" }, el("h2", {}, "Elsewhere"), otherPlaces(history)),
        el("section", { class: "card" }, el("h2", {}, "Take away"),
          el("div", { class: "links" },
            el("button", { type: "button", class: "toggle", onclick: () => savePicture([curve, ...stacks.querySelectorAll("canvas"), bits], fileName(history, k)) }, "PNG"),
            el("button", { type: "button", class: "toggle", onclick: () => saveCsv(points.filter((point) => !point.isLater), fileName(history, k)) }, "CSV"),
            el("button", { type: "button", class: "toggle", onclick: () => saveJson({ ...bundle.answers[k].message, light_curve: points.filter((point) => !point.isLater) }, fileName(history, k)) }, "JSON")),
          address ? el("details", {}, el("summary", {}, "In Python"), el("pre", { tabindex: "0" }, pythonFor(address))) : null))));

  function go(to) {
    k = Math.max(0, Math.min(bundle.answers.length - 1, to));
    hovered = null;
    tip.hidden = true;
    update();
  }

  function setPlaying(isOn) {
    clearInterval(timer);
    timer = null;
    if (isOn) {
      if (k === bundle.answers.length - 1) go(0);
      timer = setInterval(() => (k < bundle.answers.length - 1 ? go(k + 1) : setPlaying(false)), FRAME_MS);
    }
    setText(play, timer === null ? "▶" : "❚❚");
    play.setAttribute("aria-label", timer === null ? "Play" : "Pause");
  }

  /** Show the moment everywhere. */
  function update() {
    points = pointsAround(bundle, k);
    const { message } = bundle.answers[k];
    slider.max = String(bundle.answers.length - 1);
    slider.value = String(k);
    slider.setAttribute("aria-valuetext", `answer ${k + 1} of ${bundle.answers.length}, ${utc(message.mjd)} UTC`);
    setText(output, `${k + 1} of ${bundle.answers.length} · ${utc(message.mjd)} · MJD ${fixed(message.mjd, 2)}`);
    const share = message.probability;
    curve.setAttribute("aria-label", `Light curve of ${history.object_id} at MJD ${fixed(message.mjd, 2)}: ${message.n_points_used} points used, ${message.class} ${fixed(share, 2)}. The table of the points has the same.`);
    bits.setAttribute("aria-label", "Bits of information of every answer; the table of the answers has the same.");
    bitsBox.hidden = bitsTitle.hidden = !bundle.answers.some((answer) => typeof answer.message.information_bits === "number");
    fillMoment(panel, bundle, k, points, chosen.isEqualPrior);
    fillContext(context, message);
    redrawCurve();
    redrawBits();
    for (const redraw of redrawStacks) redraw();
    for (const one of tables) one.set();
    onOptions({
      bundle: bundle === history.bundles[0] ? "" : bundle.name,
      at: k === bundle.answers.length - 1 ? "" : message.alert_id,
      y: chosen.y === "mag" ? "mag" : "", hide: [...chosen.hidden].join(""), whole: chosen.isWhole ? "1" : "", input: chosen.hasInput ? "" : "0", prior: chosen.isEqualPrior ? "equal" : "",
    });
  }

  function makeLegend() {
    const bands = [...new Set(bundle.points.band)].sort((a, b) => "ugrizy".indexOf(a) - "ugrizy".indexOf(b));
    legend.replaceChildren(...bands.map((band) => {
      const swatch = el("canvas", { "aria-hidden": "true", width: "14", height: "14" });
      const node2 = el("button", { type: "button", "aria-pressed": String(!chosen.hidden.has(band)), title: "Show or hide this band with its limits", onclick: () => {
        if (!chosen.hidden.delete(band)) chosen.hidden.add(band);
        node2.setAttribute("aria-pressed", String(!chosen.hidden.has(band)));
        update();
      } }, swatch, band);
      requestAnimationFrame(() => paint(swatch, (canvas2d) => {
        canvas2d.fillStyle = bandColour(band);
        canvas2d.beginPath();
        traceShape(canvas2d, band, 7, 7, 5);
        canvas2d.fill();
      }));
      return node2;
    }));
  }

  function makeStacks() {
    const isAlone = history.bundles.length === 1;
    redrawStacks = [];
    stacks.replaceChildren(...history.bundles.map((one) => {
      const canvas = el("canvas", { role: "img", "aria-label": `Class probabilities of ${one.name}, answer by answer; the table of the answers has the same.` });
      const at = () => (one === bundle ? k : answerBefore(one, bundle.answers[k].message.mjd));
      redrawStacks.push(drawn(canvas, (canvas2d, width, height) => drawProbabilities(canvas2d, width, height, canvas, { ...frame(), bundle: one, k: at() })));
      canvas.addEventListener("click", (event) => {
        const box = canvas.getBoundingClientRect();
        const [low, high] = frame().range;
        const mjd = low + ((event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right)) * (high - low);
        bundle = one;
        go(Math.max(0, answerBefore(one, mjd)));
      });
      const title = isAlone ? el("h3", {}, "Class probabilities as published") : el("h3", {}, el("button", { type: "button", class: "toggle", "aria-pressed": String(one === bundle), onclick: () => choose(one) }, one.name), ` ${one.answers.at(-1).message.model.version}`);
      return el("div", { class: `chart probabilities${isAlone ? "" : " small"}` }, title, canvas);
    }));
  }

  function choose(one) {
    const { mjd } = bundle.answers[k].message;
    bundle = one;
    makeLegend();
    makeStacks();
    go(Math.max(0, answerBefore(one, mjd)));
  }

  function nearest(event) {
    const box = curve.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    for (const at of placed) {
      const off = Math.hypot(at.x - px, at.y - py);
      if (off < Math.max(NEAR_PX, at.radius) && (!best || off < best.off)) best = { ...at, off };
    }
    return best;
  }

  curve.addEventListener("pointermove", (event) => {
    const at = nearest(event);
    if (at?.point.i === hovered?.i) return;
    hovered = at?.point ?? null;
    tip.hidden = !hovered;
    if (hovered) {
      setText(tip, pointText(hovered));
      const isLeft = at.x > curve.clientWidth / 2;
      tip.style.left = `${isLeft ? at.x - 12 : at.x + 12}px`;
      tip.style.top = `${Math.max(0, at.y - 20)}px`;
      tip.style.transform = isLeft ? "translateX(-100%)" : "none";
    }
    redrawCurve();
  });
  curve.addEventListener("pointerleave", () => {
    hovered = null;
    tip.hidden = true;
    redrawCurve();
  });
  curve.addEventListener("click", (event) => {
    const at = nearest(event);
    setPlaying(false);
    if (at) go(answerOf(bundle, at.point.mjd));
  });
  const onKey = (event) => {
    if (event.target.closest("input, select, textarea, button, summary, a, pre, .datatable") || event.ctrlKey || event.metaKey || event.altKey || !node.isConnected) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by) go(k + by);
    else if (event.key === " ") setPlaying(timer === null);
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  makeLegend();
  makeStacks();
  update();

  return {
    node,
    /** Take a newer history; who looks at the newest answer goes on to the next, others stay. */
    set(newer) {
      const wasLast = k === bundle.answers.length - 1;
      const { id } = bundle.answers[k].message;
      Object.assign(history, newer);
      bundle = history.bundles.find((one) => one.name === bundle.name) ?? history.bundles[0];
      const same = bundle.answers.findIndex(({ message }) => message.id === id);
      k = wasLast || same < 0 ? bundle.answers.length - 1 : same;
      makeLegend();
      makeStacks();
      update();
    },
    close: () => {
      setPlaying(false);
      document.removeEventListener("keydown", onKey);
    },
  };
}
