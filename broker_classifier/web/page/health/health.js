// Whether all is well: one sentence, then the accounting, rates and latencies behind it.
import { ask } from "../common/api.js";
import { drawn, label, line, scale } from "../common/canvas.js";
import { inks } from "../common/colours.js";
import { el, notice } from "../common/dom.js";
import { count, duration, fixed } from "../common/format.js";
import { start } from "../common/start.js";

const EVERY_MS = 2000;
const KEPT = 150;
const OUTCOMES = { classified: "classified", declined: "declined", duplicate: "duplicate", withdrawn: "withdrawn", dead_lettered: "dead letters" };

async function show(main, frame) {
  document.title = "Health · broker-classifier";
  const histories = new Map();
  const services = new Map();
  const top = el("div", { "aria-live": "polite" });
  const columns = el("div", { class: "columns" });
  main.replaceChildren(el("h1", { class: "hidden" }, "Health"), top, columns);
  const look = async () => {
    try {
      const content = await ask("/api/health");
      frame.setState({ kind: content.page.waiting_for ? "waiting" : "live", text: content.page.waiting_for || "Live" });
      top.replaceChildren(...content.services.map(verdict), pageVerdict(content.page));
      for (const service of content.services) {
        if (!service.figures) continue;
        const history = histories.get(service.address) ?? [];
        histories.set(service.address, [...history, [performance.now() / 1000, service.figures.received]].slice(-KEPT));
        if (!services.has(service.address)) {
          const made = serviceCards(() => histories.get(service.address));
          services.set(service.address, made);
          columns.append(...made.nodes);
        }
        services.get(service.address).set(service);
      }
    } catch (error) {
      frame.setState({ kind: "offline", text: error.message });
      if (!columns.children.length) top.replaceChildren(notice("Not now", error.message));
    }
    setTimeout(look, EVERY_MS);
  };
  await look();
}

const verdict = (service) => el("section", { class: "card verdict", "data-well": String(service.is_well) }, el("i", { "aria-hidden": "true" }), el("span", {}, service.sentence));

function pageVerdict(page) {
  const isWell = !page.waiting_for;
  const sentence = page.waiting_for ? `This page waits: ${page.waiting_for}.` : page.lag > 0 ? `This page is ${count(page.lag)} answers behind the topic.` : `This page is up to date: ${count(page.seq)} answers read${page.n_unreadable ? `, ${count(page.n_unreadable)} messages were no classifications` : ""}.`;
  return el("section", { class: "card verdict", "data-well": String(isWell) }, el("i", { "aria-hidden": "true" }), el("span", {}, sentence));
}

function serviceCards(history) {
  const sum = el("p", { class: "sum" });
  const reasons = el("div");
  const figures = el("div", { class: "figures" });
  const canvas = el("canvas", { role: "img", "aria-label": "Alerts per second since this page was opened; the figures above have the newest" });
  const redraw = drawn(canvas, (context, width, height) => drawRates(context, width, height, canvas, history()));
  return {
    nodes: [
      el("section", { class: "card wide" }, el("h2", {}, "Accounting"), sum),
      el("section", { class: "card" }, el("h2", {}, "Speed"), figures, el("p", { class: "hint" }, "Alerts per second since this page was opened"), el("div", { class: "spark" }, canvas)),
      el("section", { class: "card" }, el("h2", {}, "Reasons"), reasons),
    ],
    set({ figures: f }) {
      sum.replaceChildren(el("b", {}, count(f.received)), el("span", {}, "received ="), ...Object.entries(OUTCOMES).flatMap(([key, text], i) => [i ? el("span", {}, "+") : null, el("b", {}, count(f.outcomes[key] ?? 0)), el("span", {}, text)].filter(Boolean)), el("span", {}, f.unaccounted ? `≠: ${count(f.unaccounted)} missing` : "✓"));
      const rate = rates(history()).at(-1)?.[1];
      figures.replaceChildren(...[
        ["alerts/s", rate === undefined ? "–" : fixed(rate, rate < 10 ? 1 : 0)],
        ["alert to answer, median", f.latency["0.5"] === undefined ? "–" : duration(f.latency["0.5"])],
        ["alert to answer, 99th percentile", f.latency["0.99"] === undefined ? "–" : duration(f.latency["0.99"])],
        ["since the observation, median", f.since_observation["0.5"] === undefined ? "–" : duration(f.since_observation["0.5"])],
        ["alerts behind (lag)", f.lag === null ? "–" : count(f.lag)], ["objects", count(f.objects)], ["revisions", count(f.revisions)],
      ].map(([name, value]) => el("div", {}, el("b", {}, value), name)));
      reasons.replaceChildren(...[["Declined", f.declined], ["Dead letters", f.dead_letters], ["Steps tried again, by what they waited for", f.retries]].map(([title, by]) => table(title, by)));
      redraw();
    },
  };
}

function table(title, by) {
  const rows = Object.entries(by).sort((a, b) => b[1] - a[1]);
  return el("table", {}, el("caption", {}, title), el("tbody", {}, rows.length ? rows.map(([name, n]) => el("tr", {}, el("td", {}, name.replaceAll("_", " ")), el("td", {}, count(n)))) : el("tr", {}, el("td", {}, "none"))));
}

/** [time, alerts per second] between successive readings. */
function rates(history) {
  return history.slice(1).map(([at, n], i) => [at, Math.max(0, n - history[i][1]) / Math.max(0.001, at - history[i][0])]);
}

function drawRates(context, width, height, canvas, history) {
  const ink = inks(canvas);
  const points = rates(history);
  const most = points.reduce((value, [, rate]) => Math.max(value, rate), 1);
  const x = scale(0, KEPT - 2, 40, width - 4);
  const y = scale(0, most, height - 8, 8);
  for (const value of [0, most]) {
    line(context, 40, Math.round(y(value)) + 0.5, width, Math.round(y(value)) + 0.5, ink.line);
    label(context, fixed(value, value > 0 && value < 10 ? 1 : 0), 34, y(value), ink.dim, "right");
  }
  context.strokeStyle = ink.accent;
  context.lineWidth = 2;
  context.beginPath();
  points.forEach(([, rate], i) => (i ? context.lineTo(x(i), y(rate)) : context.moveTo(x(i), y(rate))));
  context.stroke();
}

start(show);
