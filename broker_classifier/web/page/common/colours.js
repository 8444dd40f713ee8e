// Colours of classes and bands come from the package, where they are checked for every eye.

let colours = { classes: {}, otherClasses: ["#888888"], bands: {}, shapes: {} };
const NOT_CLASSIFIED = "#80868f";

export function setColours(given) {
  colours = given;
}

export function classColour(name) {
  if (Object.hasOwn(colours.classes, name)) return colours.classes[name];
  if (name === "NotClassified") return NOT_CLASSIFIED;
  const bytes = new TextEncoder().encode(name);
  return colours.otherClasses[bytes.reduce((sum, byte) => sum + byte, 0) % colours.otherClasses.length];
}

export const bandColour = (band) => colours.bands[band] ?? "#888888";
export const bandShape = (band) => colours.shapes[band] ?? "circle";

const CORNERS = {
  square: [4, Math.PI / 4, 1.13],
  diamond: [4, 0, 1.2],
  triangle: [3, -Math.PI / 2, 1.25],
  pentagon: [5, -Math.PI / 2, 1.1],
  hexagon: [6, 0, 1.08],
};

/** Add a band's shape, about as large as a circle of this radius, to a path. */
export function traceShape(context, band, x, y, radius) {
  const shape = bandShape(band);
  if (shape === "circle") {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  const [n, start, scale] = CORNERS[shape];
  for (let i = 0; i <= n; i += 1) {
    const angle = start + (2 * Math.PI * i) / n;
    const [cx, cy] = [x + radius * scale * Math.cos(angle), y + radius * scale * Math.sin(angle)];
    if (i === 0) context.moveTo(cx, cy);
    else context.lineTo(cx, cy);
  }
}

/** The theme's colours, as a stylesheet gives them to a canvas. */
export function inks(canvas) {
  const style = getComputedStyle(canvas);
  return {
    text: style.color,
    dim: style.outlineColor,
    line: style.borderTopColor,
    accent: style.caretColor,
    panel: style.backgroundColor,
  };
}
