// What the list is filtered by. Every control is one key of the address.
import { el, setText } from "../common/dom.js";
import { count } from "../common/format.js";

const RANGES = [["probability", "Probability", "0", "1"], ["bits", "Bits", "0", "4"], ["points", "Points", "1", ""], ["age", "Age, days", "0", ""]];
const WAIT_MS = 220;
const NAMES = { class: "class", survey: "survey", bundle: "bundle", band: "band", text: "id has", since: "new since last visit", changed: "changed class" };

export function filterBar(change, lastSeen) {
  let timer = null;
  const later = (changes) => {
    clearTimeout(timer);
    timer = setTimeout(() => change(changes), WAIT_MS);
  };
  const inputs = new Map();
  const field = (key, text, attributes) => {
    const input = el("input", { ...attributes, "aria-label": text, oninput: () => later({ [key]: input.value }) });
    inputs.set(key, input);
    return input;
  };
  const search = el("input", {
    type: "search", class: "search", placeholder: "Object, or ra dec radius″", "aria-label": "Object id, or a position: ra dec radius in arcseconds", spellcheck: "false",
    oninput: () => later(searched(search.value)),
  });
  const flag = (key, text, value) => {
    const button = el("button", { type: "button", class: "toggle", "aria-pressed": "false", onclick: () => change({ [key]: button.getAttribute("aria-pressed") === "true" ? "" : value() }) }, text);
    inputs.set(key, button);
    return button;
  };
  const select = (key, text) => {
    const node = el("select", { "aria-label": text, onchange: () => change({ [key]: node.value }) }, el("option", { value: "" }, `All ${text.toLowerCase()}s`));
    inputs.set(key, node);
    return node;
  };
  const more = el("details", { class: "more" }, el("summary", {}, "Filters"),
    el("div", { class: "fields" },
      RANGES.map(([key, text, min, max]) => el("fieldset", {}, el("legend", {}, text),
        field(`min_${key}`, `${text}, least`, { type: "number", placeholder: "least", min, max, step: "any" }),
        field(`max_${key}`, `${text}, most`, { type: "number", placeholder: "most", min, max, step: "any" }))),
      el("fieldset", {}, el("legend", {}, "Band"), select("band", "Band")),
      el("fieldset", {}, el("legend", {}, "Survey"), select("survey", "Survey")),
      el("fieldset", {}, el("legend", {}, "Bundle"), select("bundle", "Bundle"))));
  for (const band of "ugrizy") inputs.get("band").append(el("option", { value: band }, band));
  const total = el("span", { class: "total", role: "status" });
  const pills = el("div", { class: "pills" });
  return {
    node: el("div", { class: "filters" },
      el("div", { class: "line" }, search, flag("changed", "Changed class", () => "1"), flag("since", "New since last visit", () => String(lastSeen)), total),
      more, pills),
    set(filters) {
      for (const [key, input] of inputs) {
        if (input.tagName === "BUTTON") input.setAttribute("aria-pressed", String(key in filters));
        else if (document.activeElement !== input) input.value = filters[key] ?? "";
      }
      if (document.activeElement !== search) search.value = filters.ra ? `${filters.ra} ${filters.dec} ${filters.radius}` : filters.text ?? "";
      pills.replaceChildren(...pillsOf(filters, change));
    },
    setTotal(n, nObjects) {
      setText(total, n === nObjects ? `${count(n)} objects` : `${count(n)} of ${count(nObjects)}`);
    },
    setNames({ surveys, bundles }) {
      for (const [key, names] of [["survey", surveys], ["bundle", bundles]]) {
        const node = inputs.get(key);
        const value = new URLSearchParams(location.search).get(key) ?? "";
        node.append(...names.map((name) => el("option", { value: name }, name)));
        node.value = value;
      }
    },
  };
}

/** "150.1 2.2 5" is a cone of 5 arcseconds; so is "10:00:24 +02:12:00 5"; anything else a part of an id. */
export function searched(text) {
  const none = { text: "", ra: "", dec: "", radius: "" };
  const [ra, dec, radius] = text.trim().split(/[\s,]+/);
  const [a, d] = [degrees(ra, 15), degrees(dec, 1)];
  if (a === null || d === null) return { ...none, text: text.trim() };
  const r = Number(radius ?? 5);
  return Number.isFinite(r) && r > 0 && Math.abs(d) <= 90 ? { ...none, ra: String(a), dec: String(d), radius: String(r) } : none;
}

function degrees(text, perHour) {
  const match = /^([+\-−]?)(\d+(?:\.\d*)?)(?::(\d+(?:\.\d*)?))?(?::(\d+(?:\.\d*)?))?$/.exec(text ?? "");
  if (!match) return null;
  const [, sign, a, b, c] = match;
  const value = Number(a) + Number(b ?? 0) / 60 + Number(c ?? 0) / 3600;
  const scaled = b === undefined ? value : value * perHour;
  return (sign && sign !== "+" ? -1 : 1) * Math.round(scaled * 1e7) / 1e7;
}

function pillsOf(filters, change) {
  const pill = (text, keys) => el("button", { type: "button", class: "pill", "aria-label": `Remove the filter ${text}`, onclick: () => change(Object.fromEntries(keys.map((key) => [key, ""]))) }, text, el("span", { "aria-hidden": "true" }, "×"));
  const made = [];
  for (const [key, value] of Object.entries(filters)) {
    if (["sort", "ra", "dec", "radius"].includes(key)) continue;
    const bound = /^(min|max)_(.*)$/.exec(key);
    if (bound) made.push(pill(`${bound[2]} ${bound[1] === "min" ? "≥" : "≤"} ${value}`, [key]));
    else made.push(pill(["since", "changed"].includes(key) ? NAMES[key] : `${NAMES[key] ?? key} ${value.replaceAll(",", ", ")}`, [key]));
  }
  if (filters.ra) made.push(pill(`within ${filters.radius}″ of ${filters.ra} ${filters.dec}`, ["ra", "dec", "radius"]));
  if (made.length > 1) made.push(el("button", { type: "button", class: "quiet", onclick: () => change(Object.fromEntries(Object.keys(filters).filter((key) => key !== "sort").map((key) => [key, ""]))) }, "Clear all"));
  return made;
}
