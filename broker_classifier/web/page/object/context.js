// What a survey's packet says of the source, in words and with units.
import { fixed, microjansky } from "../common/format.js";

const arcsec = (value) => `${fixed(value, 1)}″`;
const magnitudes = (value) => `${fixed(value, 2)} mag`;
const flux = (value) => `${microjansky(value)} µJy`;
const share = (value) => fixed(value, 2);
const yesOrNo = (value) => (value ? "yes" : "no");

const LINES = {
  reliability: ["Real-bogus score", share],
  reliability_score: ["Which score"],
  is_dipole: ["Dipole", yesOrNo],
  solar_system_arcsec: ["Nearest asteroid or comet", arcsec],
  solar_system_name: ["Its name"],
  catalogue_arcsec: ["Nearest catalogued source", arcsec],
  star_score: ["How star-like that is, 0 to 1", share],
  catalogue_magnitude: ["Its r", magnitudes],
  catalogue_colour: ["Its r − z", magnitudes],
  gaia_arcsec: ["Nearest source of Gaia", arcsec],
  gaia_magnitude: ["Its G", magnitudes],
  template_flux: ["Flux here in the template", flux],
  science_flux: ["Flux here in the new image", flux],
  extendedness: ["Extendedness, 0 to 1", share],
  first_detection_mjd: ["First detected here, MJD", (value) => fixed(value, 2)],
  n_detections: ["Detections here"],
  n_visits: ["Visits"],
  n_negative: ["Negative detections"],
  negative_share: ["How negative, of the template", share],
  n_sign_changes: ["Changes of sign in 30 days"],
  n_nights_of_each_sign: ["Nights of either sign"],
  galactic_latitude: ["Galactic latitude", (value) => `${fixed(value, 1)}°`],
  sherlock_class: ["Class at Sherlock"],
};

/** [[words, value], ...] of all that is known, nested names joined by dots. */
export function contextLines(content, prefix = "") {
  return Object.entries(content).flatMap(([name, value]) => {
    if (value === null) return [];
    if (typeof value === "object" && !Array.isArray(value)) return contextLines(value, `${prefix}${name}.`);
    const [words, written = text] = (prefix ? null : LINES[name]) ?? [`${prefix}${name}`.replaceAll("_", " ")];
    return [[words, typeof value === "number" || typeof value === "boolean" ? written(value) : text(value)]];
  });
}

function text(value) {
  if (typeof value === "number") return String(Math.round(value * 1e6) / 1e6);
  return Array.isArray(value) ? JSON.stringify(value) : String(value);
}
