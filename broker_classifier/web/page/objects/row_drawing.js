// A row's picture: the flux of the points used, above a strip of the classes it has been given.
import { bandColour, classColour, inks, traceShape } from "../common/colours.js";
import { paint } from "../common/canvas.js";

const STRIP = 5;
const RADIUS = 1.7;

export function drawRow(canvas, row) {
  paint(canvas, (context, width, height) => {
    drawFlux(context, row.spark, width, height - STRIP - 3, inks(canvas));
    drawRuns(context, row.runs, width, height);
  });
}

function drawFlux(context, spark, width, height, { line }) {
  const bytes = Uint8Array.from(atob(spark), (letter) => letter.charCodeAt(0));
  const pad = 3;
  const byBand = new Map();
  for (let i = 0; i + 2 < bytes.length; i += 3) {
    const x = pad + (bytes[i] / 255) * (width - 2 * pad);
    const y = height - pad - (bytes[i + 1] / 255) * (height - 2 * pad);
    const band = "ugrizy"[bytes[i + 2]];
    if (!byBand.has(band)) byBand.set(band, []);
    byBand.get(band).push([x, y]);
  }
  context.strokeStyle = line;
  context.lineWidth = 1;
  for (const points of byBand.values()) {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }
  for (const [band, points] of byBand) {
    context.fillStyle = bandColour(band);
    context.beginPath();
    for (const [x, y] of points) traceShape(context, band, x, y, RADIUS);
    context.fill();
  }
}

function drawRuns(context, runs, width, height) {
  const total = runs.reduce((sum, [, n]) => sum + n, 0);
  let done = 0;
  for (const [name, n] of runs) {
    context.fillStyle = classColour(name);
    const [from, to] = [(done / total) * width, ((done + n) / total) * width];
    context.fillRect(from, height - STRIP, Math.max(1, to - from - (done + n < total ? 1 : 0)), STRIP);
    done += n;
  }
}
