// What was known of an object at one of its answers. Pure functions, no page.

export const REASONS = {
  withdrawn: "withdrawn by the survey",
  detection: "a detection, which the bundle does not take",
  upper_limit: "an upper limit, which the bundle does not take",
  forced: "forced photometry, which the bundle does not take",
  band: "in a band that the bundle does not know",
  not_finite: "its flux or error is no number",
  negative: "its flux is negative",
  same_night: "a later point of the same band and night",
  before_episode: "before the newest episode began",
  after_window: "after the bundle's window has closed",
};

/** The same in a word or two. */
export const LABELS = {
  upper_limit: "upper limits",
  forced: "forced photometry",
  detection: "detections",
  band: "in other bands",
  not_finite: "without flux or error",
  negative: "of negative flux",
  same_night: "of the same night",
  before_episode: "of an earlier episode",
  after_window: "after the window",
};

/**
 * The points as answer k saw them, in the order of time:
 * {i, mjd, band, kind, flux, error, attention, reason}; reason is "" where the point was used.
 */
export function pointsAt(bundle, k) {
  const answer = bundle.answers[k];
  const { mjd, band, kind, flux, flux_err: error } = bundle.points;
  let used = 0;
  const points = Array.from({ length: answer.n_points }, (_, place) => {
    const i = answer.index ? answer.index[place] : place;
    const reason = bundle.reasons[answer.reasons.charCodeAt(place) - 97];
    const attention = reason === "" && answer.attention_millionths ? answer.attention_millionths[used] / 1e6 : null;
    if (reason === "") used += 1;
    return { i, mjd: mjd[i], band: band[i], kind: kind[i], flux: flux[i], error: error[i], attention, reason };
  });
  return points.sort((a, b) => a.mjd - b.mjd);
}

/** All points, those that answer k had not seen as `isLater`. */
export function pointsAround(bundle, k) {
  const seen = pointsAt(bundle, k);
  const there = new Set(seen.map((point) => point.i));
  const last = pointsAt(bundle, bundle.answers.length - 1).filter((point) => !there.has(point.i));
  return [...seen, ...last.map((point) => ({ ...point, isLater: true }))];
}

/** The first answer that knew of a time: the one that a point of that time brought about. */
export function answerOf(bundle, mjd) {
  const k = bundle.answers.findIndex((answer) => answer.message.mjd >= mjd - 1e-6);
  return k < 0 ? bundle.answers.length - 1 : k;
}

/** The last answer not after a time; -1 before the first. */
export function answerBefore(bundle, mjd) {
  return bundle.answers.findLastIndex((answer) => answer.message.mjd <= mjd + 1e-6);
}

/** The classes of a bundle's answers, in the order of the first that has them. */
export function classesOf(bundle) {
  const names = new Set();
  for (const { message } of bundle.answers) for (const name of Object.keys(message.probabilities)) names.add(name);
  names.delete("NotClassified");
  return [...names];
}

/** An answer's probabilities, under the natural or the equal prior. */
export function probabilitiesOf(message, isEqualPrior) {
  const equal = message.probabilities_equal_prior ?? {};
  return isEqualPrior && Object.keys(equal).length ? equal : message.probabilities;
}

/** Whether any of its answers comes under an equal prior, too. */
export const hasEqualPrior = (bundle) => bundle.answers.some(({ message }) => Object.keys(message.probabilities_equal_prior ?? {}).length > 0);

/** How many points were not used, by reason, the most frequent first. */
export function rejections(points) {
  const counts = new Map();
  for (const { reason, isLater } of points) if (reason && !isLater) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** The time axis: from a little before the first point used to a little after the newest alert. */
export function timeRange(bundles, isWhole) {
  let [low, high] = [Infinity, -Infinity];
  for (const bundle of bundles) {
    const last = bundle.answers.length - 1;
    for (const point of pointsAt(bundle, last)) {
      if (isWhole || point.reason === "" || point.reason === "same_night") [low, high] = [Math.min(low, point.mjd), Math.max(high, point.mjd)];
    }
    for (const { message } of bundle.answers) [low, high] = [Math.min(low, message.mjd), Math.max(high, message.mjd)];
  }
  const span = Math.max(2, high - low);
  return [low - Math.max(isWhole ? 1 : 4, 0.06 * span), high + Math.max(0.5, 0.04 * span)];
}
