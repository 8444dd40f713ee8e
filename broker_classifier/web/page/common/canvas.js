// What all canvases share: sharp pixels, a new drawing at every change of size or theme, axes.

/** Draw into a canvas now, and whenever its size or the theme changes. Returns the redraw. */
export function drawn(canvas, draw) {
  let pending = false;
  let painted = "";
  const size = () => `${canvas.clientWidth} ${canvas.clientHeight}`;
  const redraw = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      painted = size();
      paint(canvas, draw);
    });
  };
  new ResizeObserver(() => size() !== painted && redraw()).observe(canvas);
  addEventListener("themechange", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return redraw;
}

/** Fit a canvas to its box and draw once. */
export function paint(canvas, draw) {
  const { width, height } = canvas.getBoundingClientRect();
  if (!width || !height) return;
  const ratio = Math.min(3, devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  draw(context, width, height);
}

/** The map that takes low to start and high to end, and back. */
export function scale(low, high, start, end) {
  const slope = (end - start) / (high - low || 1);
  const to = (value) => start + (value - low) * slope;
  to.back = (place) => low + (place - start) / slope;
  return to;
}

/** Round values about so many in number within a range. */
export function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= raw * 0.999);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) values.push(i * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

export const FONT = "11px system-ui, sans-serif";

/** Write a label; align is left, center or right, baseline as the canvas has it. */
export function label(context, text, x, y, colour, align = "left", baseline = "middle") {
  context.font = FONT;
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = baseline;
  context.fillText(text, x, y);
}

export function line(context, x1, y1, x2, y2, colour, width = 1) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
