// The class probabilities as they were published, on the light curve's time axis; and the bits.
import { classColour, inks } from "../common/colours.js";
import { label, line, scale, ticks } from "../common/canvas.js";
import { fixed } from "../common/format.js";
import { drawNow, drawTimeAxis, MARGIN } from "./light_curve.js";
import { classesOf, probabilitiesOf } from "./moment.js";

/**
 * Stack the probabilities: each answer holds until the next one. Answers after the moment are pale;
 * a mark above tells an answer that was published more than once.
 */
export function drawProbabilities(context, width, height, canvas, { bundle, range, now, k, isEqualPrior }) {
  const ink = inks(canvas);
  const x = scale(...range, MARGIN.left, width - MARGIN.right);
  const y = scale(0, 1, height - MARGIN.bottom, MARGIN.top);
  const { answers } = bundle;
  const edge = (i) => (i + 1 < answers.length ? x(answers[i + 1].message.mjd) : width - MARGIN.right);
  const names = classesOf(bundle);
  answers.forEach(({ message }, i) => {
    const [from, to] = [x(message.mjd), edge(i)].map((at) => Math.max(MARGIN.left, Math.round(at)));
    const shares = probabilitiesOf(message, isEqualPrior);
    let below = 0;
    context.globalAlpha = i > k ? 0.22 : 1;
    for (const name of names) {
      const share = shares[name] ?? 0;
      context.fillStyle = classColour(name);
      const [top, bottom] = [y(below + share), y(below)];
      context.fillRect(from, top, to - from, bottom - top);
      below += share;
    }
    context.globalAlpha = 1;
    if (answers[i].earlier.length) drawRevised(context, x(message.mjd), MARGIN.top - 5, ink);
  });
  for (const value of [0, 0.5, 1]) {
    const at = Math.round(y(value)) + 0.5;
    line(context, MARGIN.left - 4, at, MARGIN.left, at, ink.line);
    label(context, value === 0.5 ? ".5" : String(value), MARGIN.left - 7, at, ink.dim, "right");
  }
  drawTimeAxis(context, width, height, x, ink, range, true);
  drawNow(context, x(now), MARGIN.top - 6, height - MARGIN.bottom, ink);
}

function drawRevised(context, x, y, { text }) {
  context.fillStyle = text;
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y - 4);
  context.lineTo(x, y + 3);
  context.fill();
}

/** Bits of information, answer by answer, as steps. */
export function drawBits(context, width, height, canvas, { bundle, range, now, k }) {
  const ink = inks(canvas);
  const bits = bundle.answers.map(({ message }) => message.information_bits ?? null);
  const most = Math.max(1, ...bits.filter((value) => value !== null));
  const x = scale(...range, MARGIN.left, width - MARGIN.right);
  const y = scale(0, most, height - 6, 8);
  const { values, digits } = ticks(0, most, 2);
  for (const value of values) {
    const at = Math.round(y(value)) + 0.5;
    context.globalAlpha = 0.55;
    line(context, MARGIN.left, at, width - MARGIN.right, at, ink.line);
    context.globalAlpha = 1;
    label(context, fixed(value, digits), MARGIN.left - 6, at, ink.dim, "right");
  }
  bundle.answers.forEach(({ message }, i) => {
    if (bits[i] === null) return;
    const from = x(message.mjd);
    const to = i + 1 < bits.length ? x(bundle.answers[i + 1].message.mjd) : width - MARGIN.right;
    context.globalAlpha = i > k ? 0.25 : 1;
    line(context, from, y(bits[i]), to, y(bits[i]), ink.accent, 2);
    if (i > 0 && bits[i - 1] !== null) line(context, from, y(bits[i - 1]), from, y(bits[i]), ink.accent, 1);
    context.globalAlpha = 1;
  });
  drawNow(context, x(now), 2, height, ink);
}
