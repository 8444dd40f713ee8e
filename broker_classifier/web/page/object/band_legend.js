// The bands in their colours and shapes; each is a switch for its points and its limits.
import { paint } from "../common/canvas.js";
import { bandColour, traceShape } from "../common/colours.js";
import { el } from "../common/dom.js";

const ORDER = "ugrizy";

/** Make the switches of the bands of a text like "grrg"; `hidden` is a Set that they change. */
export function bandLegend(bands, hidden, onChange) {
  const names = [...new Set(bands)].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return names.map((band) => {
    const swatch = el("canvas", { "aria-hidden": "true" });
    const node = el("button", { type: "button", "aria-pressed": String(!hidden.has(band)), title: "Show or hide this band with its limits", onclick: () => {
      if (!hidden.delete(band)) hidden.add(band);
      node.setAttribute("aria-pressed", String(!hidden.has(band)));
      onChange();
    } }, swatch, band);
    requestAnimationFrame(() => paint(swatch, (context) => {
      context.fillStyle = bandColour(band);
      context.beginPath();
      traceShape(context, band, 7, 7, 5);
      context.fill();
    }));
    return node;
  });
}
