// Each page loads only its own scripts.
import { setColours } from "./common/colours.js";
import { drawFrame } from "./common/frame.js";

const about = JSON.parse(document.getElementById("about").textContent);
const kind = document.documentElement.dataset.page;
setColours(about.colours);
const frame = drawFrame(document.getElementById("top"), kind, about.version);
const pages = {
  home: () => import("./objects/home.js"),
  object: () => import("./object/object.js"),
  bundle: () => import("./bundle/bundle.js"),
  health: () => import("./health/health.js"),
};
const { show } = await pages[kind]();
await show(document.getElementById("main"), frame);
