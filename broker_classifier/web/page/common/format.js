// Times in UTC and MJD, angles in degrees and sexagesimal, numbers of a readable length.

export const MJD_OF_UNIX_EPOCH = 40587;
const MINUS = "−";

export const unixMs = (mjd) => (mjd - MJD_OF_UNIX_EPOCH) * 86_400_000;

/** "2021-07-05 09:54" of a MJD, to the second if asked for. */
export function utc(mjd, seconds = false) {
  const date = new Date(Math.round(unixMs(mjd) / 1000) * 1000);
  if (Number.isNaN(date.getTime())) return "";
  return date.toISOString().slice(0, seconds ? 19 : 16).replace("T", " ");
}

export const mjdNow = () => Date.now() / 86_400_000 + MJD_OF_UNIX_EPOCH;

/** A number with a true minus sign. */
export function fixed(value, digits) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

export const count = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, " ");

/** "0.80", and "> 0.99" where rounding would claim certainty. */
export function probability(p) {
  if (p > 0.995 && p < 1) return "> .99";
  return p.toFixed(2).replace(/^0/, "");
}

export const percent = (p) => `${fixed(100 * p, p > 0 && p < 0.01 ? 1 : 0)} %`;

/** A flux in µJy of one in nJy. */
export function microjansky(njy) {
  const value = njy / 1000;
  return fixed(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** AB magnitude of a flux in nJy; NaN where it is not positive. */
export const magnitude = (njy) => (njy > 0 ? 31.4 - 2.5 * Math.log10(njy) : NaN);

/** Error of a magnitude. */
export const magnitudeError = (njy, error) => (2.5 / Math.LN10) * (error / njy);

/** "09:59:02.30 +16:08:44.5" of degrees. */
export function sexagesimal(ra, dec) {
  const hours = parts(((ra % 360) + 360) % 360 / 15, 2, 24);
  const sign = dec < 0 ? MINUS : "+";
  return `${hours} ${sign}${parts(Math.abs(dec), 1, 1000)}`;
}

function parts(value, digits, wrap) {
  const unit = 10 ** digits;
  let ticks = Math.round(value * 3600 * unit) % (wrap * 3600 * unit);
  const fraction = ticks % unit;
  ticks = (ticks - fraction) / unit;
  const two = (n) => String(n).padStart(2, "0");
  const [seconds, minutes] = [ticks % 60, Math.floor(ticks / 60) % 60];
  return `${two(Math.floor(ticks / 3600))}:${two(minutes)}:${two(seconds)}.${String(fraction).padStart(digits, "0")}`;
}

/** "12 s", "5 min", "3 h", "12 d" of seconds. */
export function duration(seconds) {
  if (seconds < 0.9995) return `${fixed(1000 * Math.max(0, seconds), 0)} ms`;
  for (const [unit, length, next] of [["s", 1, 90], ["min", 60, 5400], ["h", 3600, 172_800]]) {
    if (seconds < next) return `${fixed(seconds / length, seconds / length < 9.95 && unit === "s" ? 1 : 0)} ${unit}`;
  }
  return `${fixed(seconds / 86_400, 0)} d`;
}
