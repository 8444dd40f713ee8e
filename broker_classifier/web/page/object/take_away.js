// What one may take away: picture, tables, JSON, the Python that fetches it; and where else to look.
import { download, el } from "../common/dom.js";
import { fixed } from "../common/format.js";

const CUTOUT_DEG = 0.02;

/** Links to other places that know of the object or of its position. */
export function otherPlaces({ survey, object_id: id, ra, dec }) {
  const name = encodeURIComponent(id);
  const links = survey === "ztf"
    ? [["Lasair", `https://lasair-ztf.lsst.ac.uk/objects/${name}/`], ["ALeRCE", `https://alerce.online/object/${name}`], ["Fink", `https://fink-portal.org/${name}`]]
    : [["Lasair", `https://lasair.lsst.ac.uk/objects/${name}/`], ["ALeRCE", `https://lsst.alerce.online/object/${name}`], ["Fink", `https://lsst.fink-portal.org/${name}`]];
  if (ra !== null && dec !== null) {
    links.push(["TNS", `https://www.wis-tns.org/search?ra=${ra}&decl=${dec}&radius=5&coords_unit=arcsec`],
      ["Cutout", `https://www.legacysurvey.org/viewer?ra=${ra}&dec=${dec}&layer=ls-dr10&zoom=16&mark=${ra},${dec}`],
      ["Aladin", `https://aladin.cds.unistra.fr/AladinLite/?target=${encodeURIComponent(`${ra} ${dec}`)}&fov=${CUTOUT_DEG}`],
      ["SIMBAD", `https://simbad.cds.unistra.fr/simbad/sim-coo?Coord=${encodeURIComponent(`${ra} ${dec}`)}&Radius=5&Radius.unit=arcsec`]);
  }
  return el("div", { class: "links" }, links.map(([text, href]) => el("a", { href, target: "_blank", rel: "noopener noreferrer" }, text)));
}

/** One picture of several canvases, one under the other, on the page's colour. */
function savePicture(canvases, name) {
  const [width, height] = [Math.max(...canvases.map((c) => c.width)), canvases.reduce((sum, c) => sum + c.height, 0)];
  const whole = el("canvas");
  [whole.width, whole.height] = [width, height];
  const context = whole.getContext("2d");
  context.fillStyle = getComputedStyle(canvases[0]).backgroundColor;
  context.fillRect(0, 0, width, height);
  let y = 0;
  for (const canvas of canvases) {
    context.drawImage(canvas, 0, y);
    y += canvas.height;
  }
  whole.toBlob((blob) => download(`${name}.png`, blob), "image/png");
}

/** The points as they are shown, as a table for any program. */
function saveCsv(points, name) {
  const cell = (value) => (value === null ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const rows = points.map((p) => [p.mjd, p.band, p.kind, p.flux, p.error, p.attention, p.reason || null].map(cell).join(","));
  download(`${name}.csv`, new Blob([["mjd,band,kind,psf_flux_njy,psf_flux_err_njy,attention,rejected", ...rows, ""].join("\n")], { type: "text/csv" }));
}

function saveJson(content, name) {
  download(`${name}.json`, new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
}

/** The Python that fetches an object from this server. */
function pythonFor(address) {
  return [
    "import requests, pandas as pd",
    "",
    `history = requests.get(${JSON.stringify(address)}).json()`,
    'bundle = history["bundles"][0]',
    'points = pd.DataFrame({**bundle["points"], "band": list(bundle["points"]["band"])})',
    'answers = pd.DataFrame([a["message"]["probabilities"] for a in bundle["answers"]],',
    '                       index=[a["message"]["mjd"] for a in bundle["answers"]])',
  ].join("\n");
}

/** The card of what may be taken away: of the bundle, answer and points that `shown` gives. */
export function takeAway(history, shown, canvases, address) {
  const button = (text, press) => el("button", { type: "button", class: "toggle", onclick: press }, text);
  const name = () => fileName(history, shown().k);
  const seen = () => shown().points.filter((point) => !point.isLater);
  return el("section", { class: "card" }, el("h2", {}, "Take away"),
    el("div", { class: "links" },
      button("PNG", () => savePicture(canvases().filter((canvas) => canvas.width && canvas.offsetParent), name())),
      button("CSV", () => saveCsv(seen(), name())),
      button("JSON", () => saveJson({ ...shown().bundle.answers[shown().k].message, light_curve: seen() }, name()))),
    address ? el("details", {}, el("summary", {}, "In Python"), el("pre", { tabindex: "0" }, pythonFor(address))) : null);
}

const fileName = (history, k) => `${history.object_id.replaceAll(/[^\w.+-]/g, "_")}-answer-${k + 1}`;
export const degrees = (ra, dec) => (ra === null ? "" : `${fixed(ra, 6)} ${dec < 0 ? "" : "+"}${fixed(dec, 6)}`);
