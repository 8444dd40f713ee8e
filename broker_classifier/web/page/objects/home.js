// The list of objects, the stream, the sky and the counts; what is shown stands in the address.
import { ask, keepQuery, query, withQuery } from "../common/api.js";
import { el, throttled } from "../common/dom.js";
import { follow } from "../common/live.js";
import { start } from "../common/start.js";
import { classCounts } from "./classes.js";
import { filterBar } from "./filters.js";
import { skyMap } from "./sky.js";
import { streamList } from "./stream.js";
import { objectTable } from "./table.js";

const SIDE_MS = 4000;
const STREAM = 30; // answers that the stream begins with
const SEEN_KEY = "seen";

async function show(main, frame) {
  document.title = "Objects · broker-classifier";
  const state = { filters: query() };
  const lastSeen = Number(localStorage.getItem(SEEN_KEY) ?? 0);
  const change = (changes) => {
    state.filters = { ...state.filters, ...changes };
    for (const [name, value] of Object.entries(state.filters)) {
      if (value === "" || value === null || value === undefined) delete state.filters[name];
    }
    keepQuery(state.filters);
    bar.set(state.filters);
    table.reload();
    refreshSide();
  };
  const bar = filterBar(change, lastSeen);
  const table = objectTable(() => state.filters, change, (content) => {
    counts.set(content.by_class, content.total, content.n_objects, state.filters.class);
    bar.setTotal(content.total, content.n_objects);
    localStorage.setItem(SEEN_KEY, String(content.seq));
  });
  const counts = classCounts((name) => change({ class: toggled(state.filters.class, name) }));
  const sky = skyMap((place) => change(place));
  const stream = streamList();
  main.replaceChildren(
    el("h1", { class: "hidden" }, "Objects"),
    el("div", { class: "home" },
      el("aside", { class: "side" }, counts.node, sky.node, stream.node),
      el("section", { class: "list", "aria-label": "List of objects" }, bar.node, table.node)),
  );
  const refreshSky = async () => {
    const { sort, ...filters } = state.filters;
    sky.set(await ask(withQuery("/api/sky", filters)), filters);
  };
  const refreshSide = () => refreshSky().catch(() => {});
  const refreshSideSlowly = throttled(refreshSide, SIDE_MS);
  bar.set(state.filters);
  const first = await table.reload();
  refreshSide();
  ask("/api/names").then(bar.setNames).catch(() => {});
  follow(first ? Math.max(0, first.seq - STREAM) : null, (news) => {
    stream.add(news, news.seq <= first?.seq);
    table.hear(news);
    refreshSideSlowly();
  }, (stateNow) => {
    frame.setState(stateNow);
    table.setState(stateNow);
  });
}

/** Add a name to a list with commas, or take it out. */
function toggled(list, name) {
  const names = new Set((list ?? "").split(",").filter(Boolean));
  if (!names.delete(name)) names.add(name);
  return [...names].join(",");
}

start(show);
