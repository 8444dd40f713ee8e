// How many objects of each class the list has; a click filters by it.
import { classColour } from "../common/colours.js";
import { el, setStyle, setText } from "../common/dom.js";
import { count } from "../common/format.js";

export function classCounts(toggle) {
  const bar = el("div", { class: "stack", "aria-hidden": "true" });
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Filter by class" });
  const total = el("p", { class: "figure" });
  const parts = new Map();
  const part = (name) => {
    if (!parts.has(name)) {
      const number = el("span", { class: "n" });
      const swatch = el("i", { style: { background: classColour(name) } });
      const chip = el("button", { type: "button", class: "chip", onclick: () => toggle(name) }, swatch, el("span", { class: "name" }, name), number);
      const piece = el("i", { style: { background: classColour(name) } });
      chips.append(chip);
      bar.append(piece);
      parts.set(name, { chip, number, piece });
    }
    return parts.get(name);
  };
  return {
    node: el("section", { class: "card", "aria-label": "Classes" }, total, bar, chips),
    /** Show counts by class; a class keeps its place once it has one. */
    set(byClass, n, nObjects, chosen) {
      total.replaceChildren(el("b", {}, count(n)), n === nObjects ? " objects" : ` of ${count(nObjects)} objects`);
      const chosenNames = new Set((chosen ?? "").split(",").filter(Boolean));
      for (const name of [...Object.keys(byClass), ...chosenNames]) part(name);
      for (const [name, { chip, number, piece }] of parts) {
        setText(number, count(byClass[name] ?? 0));
        setStyle(piece, { "flex-grow": String(byClass[name] ?? 0) });
        chip.setAttribute("aria-pressed", String(chosenNames.has(name)));
      }
    },
  };
}
