// Every page begins so: its colours, its head, then its own content, which `show` puts there.
import { setColours } from "./colours.js";
import { drawFrame } from "./frame.js";

export function start(show) {
  const about = JSON.parse(document.getElementById("about").textContent);
  setColours(about.colours);
  const frame = drawFrame(document.getElementById("top"), document.documentElement.dataset.page, about.version);
  show(document.getElementById("main"), frame);
}
