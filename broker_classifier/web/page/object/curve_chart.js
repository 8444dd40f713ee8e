// The light curve's canvas: what the pointer is over, and which point is picked.
import { drawn } from "../common/canvas.js";
import { el, setText } from "../common/dom.js";
import { drawLightCurve, pointText } from "./light_curve.js";

const NEAR_PX = 16;

/** Make the chart; `picture` gives what `drawLightCurve` takes, `pick` gets the point clicked. */
export function curveChart(picture, pick) {
  let placed = [];
  let hovered = null;
  const canvas = el("canvas", { tabindex: "0", role: "img" });
  const tip = el("div", { class: "tip", role: "tooltip", hidden: true });
  const redraw = drawn(canvas, (context, width, height) => {
    placed = drawLightCurve(context, width, height, canvas, { ...picture(), hovered });
  });

  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    for (const at of placed) {
      const off = Math.hypot(at.x - px, at.y - py);
      if (off < Math.max(NEAR_PX, at.radius) && (!best || off < best.off)) best = { ...at, off };
    }
    return best;
  }

  function hover(at) {
    if (at?.point.i === hovered?.i) return;
    hovered = at?.point ?? null;
    tip.hidden = !hovered;
    if (hovered) {
      const isLeft = at.x > canvas.clientWidth / 2;
      setText(tip, pointText(hovered));
      tip.style.left = `${isLeft ? at.x - 12 : at.x + 12}px`;
      tip.style.top = `${Math.max(0, at.y - 20)}px`;
      tip.style.transform = isLeft ? "translateX(-100%)" : "none";
    }
    redraw();
  }

  canvas.addEventListener("pointermove", (event) => hover(nearest(event)));
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("click", (event) => {
    const at = nearest(event);
    if (at) pick(at.point);
  });
  return { node: el("div", { class: "chart curve" }, canvas, tip), canvas, redraw, rest: () => hover(null) };
}
