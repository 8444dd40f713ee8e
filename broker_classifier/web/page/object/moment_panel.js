// What an answer said: probabilities class by class in places that do not change, and its figures.
import { classColour } from "../common/colours.js";
import { el } from "../common/dom.js";
import { count, duration, fixed, probability, utc } from "../common/format.js";
import { contextLines } from "./context.js";
import { classesOf, LABELS, probabilitiesOf, REASONS, rejections } from "./moment.js";

/** Fill the panel with answer k of a bundle. */
export function fillMoment(node, bundle, k, points, isEqualPrior) {
  const { message, earlier } = bundle.answers[k];
  const before = k > 0 ? probabilitiesOf(bundle.answers[k - 1].message, isEqualPrior) : null;
  const shares = probabilitiesOf(message, isEqualPrior);
  const isLast = k === bundle.answers.length - 1;
  node.replaceChildren(
    el("h2", {}, isLast ? "Now" : el("span", { class: "then" }, "As it was then")),
    el("p", { class: "when" }, `${utc(message.mjd)} UTC · MJD ${fixed(message.mjd, 4)} · answer ${k + 1} of ${bundle.answers.length}`),
    message.class === "NotClassified"
      ? el("p", {}, "The answer was taken back: late points have left none that the model uses.")
      : el("ul", { class: "probs", "aria-label": "Class probabilities" }, classesOf(bundle).map((name) => classLine(name, shares[name] ?? 0, before?.[name], name === message.class))),
    el("dl", { class: "numbers" }, figures(message, points).flatMap(([name, value, title]) => [el("dt", { title }, name), el("dd", { title }, value)])),
    ...earlier.map((old) => el("p", { class: "hint" }, `▼ Before late points came, this answer was ${old.message.class} ${probability(old.message.probability)}${old.message.times ? `, published ${String(old.message.times.classified).slice(0, 19).replace("T", " ")}` : ""}.`)),
  );
}

function classLine(name, share, before, isTop) {
  const difference = before === undefined ? null : share - before;
  return el("li", { class: isTop ? "most" : null },
    el("span", { class: "name", title: name }, name),
    el("span", { class: "bar", "aria-hidden": "true" }, el("i", { style: { width: `${100 * share}%`, background: classColour(name) } })),
    el("span", { class: "p" }, probability(share)),
    el("span", { class: "d", title: "since the answer before" }, difference === null || Math.abs(difference) < 0.005 ? "" : `${difference > 0 ? "+" : "−"}${Math.abs(difference).toFixed(2).replace(/^0/, "")}`));
}

function figures(message, points) {
  const lines = [];
  if (typeof message.information_bits === "number") lines.push(["Information", `${fixed(message.information_bits, 2)} bits`]);
  lines.push(["Points used", count(message.n_points_used ?? 0)]);
  const unused = rejections(points);
  if (unused.length) lines.push(["Not used", unused.map(([reason, n]) => `${count(n)} ${LABELS[reason] ?? reason.replaceAll("_", " ")}`).join(", "), unused.map(([reason]) => REASONS[reason] ?? reason).join("; ")]);
  const times = message.times ?? {};
  if (times.received && times.classified) lines.push(["From alert to answer", duration((Date.parse(times.classified) - Date.parse(times.received)) / 1000)]);
  if (times.classified) lines.push(["Classified, UTC", String(times.classified).slice(0, 19).replace("T", " ")]);
  lines.push(["Bundle", `${message.model.name} ${message.model.version}`], ["Alert", message.alert_id]);
  if (message.revised) lines.push(["Revised", "late points changed this answer"]);
  return lines;
}

/** What the packet says of the source, at the same moment; what it does not say is left out. */
export function fillContext(node, message) {
  const lines = contextLines(message.context ?? {});
  node.replaceChildren(el("h2", {}, "What the packet says"),
    lines.length
      ? el("dl", { class: "numbers" }, lines.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))
      : el("p", { class: "hint" }, "Nothing: this message brought no context of its source."));
}
