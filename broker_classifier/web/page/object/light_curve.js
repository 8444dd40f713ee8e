// The light curve as one answer saw it. We draw it ourselves: of Bokeh, which was tried here, the
// scripts weigh 389 kB compressed, all of the object page's 29 kB; and drawing 1,000 points and 300
// answers took it 490 to 830 ms on a busy machine, where our page spent 30 to 50 ms in its scripts.
import { bandColour, inks, traceShape } from "../common/colours.js";
import { label, line, scale, ticks } from "../common/canvas.js";
import { fixed, magnitude, magnitudeError, microjansky, utc } from "../common/format.js";
import { REASONS } from "./moment.js";

export const MARGIN = { left: 58, right: 14, top: 12, bottom: 24 };
const SMALLEST = 2.4;
const LARGEST = 8;
const LIMIT_SIGMA = 5;
const FAINTEST_SNR = 1;

/** What a point is on the value axis: {y, low, high}, or null where it has no place there. */
export function valueOf(point, unit) {
  const isLimit = point.flux === null;
  const flux = isLimit ? LIMIT_SIGMA * point.error : point.flux;
  if (unit === "flux") return { y: flux / 1000, low: (flux - point.error) / 1000, high: (flux + point.error) / 1000, isLimit };
  if (!(flux > 0) || (!isLimit && flux < FAINTEST_SNR * point.error)) return null;
  const [m, e] = [magnitude(flux), isLimit ? 0 : magnitudeError(flux, point.error)];
  return { y: m, low: m - e, high: m + e, isLimit };
}

/** The range of the value axis: what was used decides it, what was rejected must not flatten it. */
export function valueRange(points, unit) {
  const of = (chosen) => chosen.map((point) => valueOf(point, unit)).filter(Boolean);
  let values = of(points.filter((point) => point.reason === "" || point.isLater));
  if (!values.length) values = of(points);
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value.isLimit ? value.y : value.low), Math.max(high, value.isLimit ? value.y : value.high)];
  if (unit === "flux") [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  if (!(high > low)) [low, high] = [low - 1 || -1, high + 1 || 1];
  const pad = 0.06 * (high - low);
  return unit === "flux" ? [low - pad, high + pad] : [high + pad, low - pad];
}

/**
 * Draw the chart. `picture` has points, range [mjd, mjd], values [low, high], unit, hidden (a Set
 * of bands), now (mjd), hasInput and hovered. Returns where the points are, for the pointer.
 */
export function drawLightCurve(context, width, height, canvas, picture) {
  const ink = inks(canvas);
  const x = scale(...picture.range, MARGIN.left, width - MARGIN.right);
  const y = scale(...picture.values, height - MARGIN.bottom, MARGIN.top);
  drawValueAxis(context, width, height, y, ink, picture);
  drawTimeAxis(context, width, height, x, ink, picture.range);
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top - 6, width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom + 12);
  context.clip();
  const shown = picture.points.filter((point) => !picture.hidden.has(point.band));
  if (picture.hasInput) drawInput(context, shown, x, y, picture);
  drawNow(context, x(picture.now), MARGIN.top - 6, height - MARGIN.bottom, ink);
  const placed = drawPoints(context, shown, x, y, ink, picture.unit);
  if (picture.hovered) drawRing(context, placed.find(({ point }) => point.i === picture.hovered.i), ink);
  context.restore();
  return placed;
}

export function drawNow(context, x, top, bottom, { accent }) {
  context.setLineDash([4, 3]);
  line(context, Math.round(x) + 0.5, top, Math.round(x) + 0.5, bottom, accent, 1.5);
  context.setLineDash([]);
}

export function drawTimeAxis(context, width, height, x, { line: grid, dim }, [low, high], isUtc = false) {
  const bottom = height - MARGIN.bottom;
  const { values, digits } = ticks(low, high, Math.max(2, (width - 70) / 110));
  for (const value of values) {
    const at = Math.round(x(value)) + 0.5;
    if (at < MARGIN.left + (isUtc ? 34 : 14) || at > width - MARGIN.right - (isUtc ? 20 : 8)) continue;
    line(context, at, bottom, at, bottom + 4, grid);
    label(context, isUtc ? utc(value).slice(0, digits ? 16 : 10) : fixed(value, digits), at, bottom + 14, dim, "center");
  }
  label(context, isUtc ? "UTC" : "MJD", MARGIN.left - 6, bottom + 14, dim, "right");
  line(context, MARGIN.left, bottom + 0.5, width - MARGIN.right, bottom + 0.5, grid);
}

function drawValueAxis(context, width, height, y, { line: grid, dim }, { values, unit }) {
  const { values: marks, digits } = ticks(Math.min(...values), Math.max(...values), Math.max(2, height / 60));
  for (const value of marks) {
    const at = Math.round(y(value)) + 0.5;
    context.globalAlpha = value === 0 && unit === "flux" ? 1 : 0.55;
    line(context, MARGIN.left, at, width - MARGIN.right, at, grid);
    context.globalAlpha = 1;
    label(context, fixed(value, digits), MARGIN.left - 6, at, dim, "right");
  }
  label(context, unit === "flux" ? "µJy" : "AB mag", 4, 8, dim);
}

/** The model's input: in every band the last value used, carried forward to each later point used. */
function drawInput(context, shown, x, y, { unit, now }) {
  const bands = Map.groupBy(shown.filter((p) => p.reason === "" && !p.isLater && valueOf(p, unit)), (point) => point.band);
  context.lineWidth = 1.4;
  context.globalAlpha = 0.55;
  for (const [band, points] of bands) {
    context.strokeStyle = bandColour(band);
    context.beginPath();
    points.forEach((point, i) => {
      const at = y(valueOf(point, unit).y);
      if (i === 0) context.moveTo(x(point.mjd), at);
      else context.lineTo(x(point.mjd), y(valueOf(points[i - 1], unit).y));
      context.lineTo(x(point.mjd), at);
    });
    context.lineTo(x(Math.max(now, points.at(-1).mjd)), y(valueOf(points.at(-1), unit).y));
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawPoints(context, shown, x, y, { panel }, unit) {
  const heaviest = shown.reduce((most, point) => Math.max(most, point.attention ?? 0), 0) || 1;
  const placed = [];
  // Rejected and later points first, so that they never cover what counts.
  const rank = (point) => (point.isLater ? 0 : 2) + (point.reason ? 0 : 1);
  for (const point of [...shown].sort((a, b) => rank(a) - rank(b))) {
    const value = valueOf(point, unit);
    if (!value) continue;
    const at = { point, x: x(point.mjd), y: y(value.y) };
    const weight = point.attention === null ? 0.25 : point.attention / heaviest;
    at.radius = point.reason || point.isLater ? 3 : SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(weight);
    if (point.kind === "forced" && point.reason) at.radius = 2;
    placed.push(at);
    context.globalAlpha = point.isLater ? 0.22 : point.reason ? 0.6 : 1;
    context.strokeStyle = context.fillStyle = bandColour(point.band);
    context.lineWidth = 1.2;
    if (value.isLimit) drawLimit(context, at);
    else drawPoint(context, at, y(value.low), y(value.high), panel);
  }
  context.globalAlpha = 1;
  return placed;
}

function drawLimit(context, { x, y }) {
  context.beginPath();
  context.moveTo(x - 4, y);
  context.lineTo(x + 4, y);
  context.moveTo(x, y);
  context.lineTo(x, y + 7);
  context.moveTo(x - 2.5, y + 4.5);
  context.lineTo(x, y + 7.5);
  context.lineTo(x + 2.5, y + 4.5);
  context.stroke();
}

function drawPoint(context, { point, x, y, radius }, low, high, panel) {
  context.beginPath();
  context.moveTo(x, low);
  context.lineTo(x, high);
  context.stroke();
  context.beginPath();
  traceShape(context, point.band, x, y, radius);
  if (point.reason) {
    context.save();
    context.globalAlpha = 1;
    context.fillStyle = panel;
    context.fill();
    context.restore();
    context.stroke();
    return;
  }
  context.fill();
  if (point.isLater) return;
  context.strokeStyle = panel;
  context.lineWidth = 0.8;
  context.stroke();
}

function drawRing(context, at, { text }) {
  if (!at) return;
  context.strokeStyle = text;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(at.x, at.y, at.radius + 4, 0, 2 * Math.PI);
  context.stroke();
}

/** A point in words. */
export function pointText(point) {
  const lines = [`${point.band}-band ${point.kind.replace("_", " ")}`, `${utc(point.mjd)} UTC · MJD ${fixed(point.mjd, 4)}`];
  if (point.flux === null) lines.push(`fainter than ${fixed(magnitude(LIMIT_SIGMA * point.error), 2)} mag (5σ, ${microjansky(LIMIT_SIGMA * point.error)} µJy)`);
  else {
    lines.push(`${microjansky(point.flux)} ± ${microjansky(point.error)} µJy`);
    if (point.flux > 0) lines.push(`${fixed(magnitude(point.flux), 2)} ± ${fixed(magnitudeError(point.flux, point.error), 2)} mag`);
  }
  if (point.isLater) lines.push("came later");
  else if (point.reason) lines.push(`not used: ${REASONS[point.reason] ?? point.reason}`);
  else if (point.attention !== null) lines.push(`attention ${fixed(100 * point.attention, 1)} %`);
  return lines.join("\n");
}
