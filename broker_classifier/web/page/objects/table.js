// The list of objects: only the rows in view are elements, and only their windows are asked for.
import { objectPath } from "../common/api.js";
import { el, setText, throttled } from "../common/dom.js";
import { count } from "../common/format.js";
import { listCover } from "./cover.js";
import { blankRow, COLUMNS, fillRow } from "./row.js";
import { scroller } from "./scroller.js";
import { rowWindows } from "./windows.js";

const REFRESH_MS = 1000;

export function objectTable(filters, change, onContent) {
  const [spacer, head] = [el("div", { class: "spacer" }), el("div", { class: "row head", role: "row" })];
  const body = el("div", { class: "rows", role: "rowgroup" });
  const box = el("div", { class: "scroll", role: "table", tabindex: "0", "aria-label": "Objects; arrow keys move, Enter opens" }, el("div", { role: "rowgroup" }, head), spacer, body);
  const news = el("button", { type: "button", class: "news", hidden: true, onclick: () => reload() });
  const windows = rowWindows(filters, onContent);
  const { kept } = windows;
  const place = scroller(box, head, () => kept.total);
  const cover = listCover(change, () => reload());
  const node = el("div", { class: "table" }, news, box, cover.node);
  const pool = [];
  let [unseen, active, state] = [0, -1, { kind: "live" }];

  function draw() {
    spacer.style.height = `${place.tall()}px`;
    const start = Math.max(0, Math.floor(place.first()));
    const n = Math.min(kept.total - start, place.visible() + 2);
    while (pool.length < n) {
      pool.push(blankRow());
      body.append(pool.at(-1).node);
    }
    body.style.transform = `translateY(${place.top(start)}px)`;
    pool.forEach((made, i) => {
      made.node.hidden = i >= n;
      if (i < n) fillRow(made, windows.row(start + i), start + i, start + i === active);
    });
    box.setAttribute("aria-rowcount", String(kept.total + 1));
    cover.set(kept.total, kept.hasAnswer, filters(), state);
    if (kept.total) for (const page of windows.pagesOf(start, start + n - 1)) windows.load(page).then((content) => content && draw(), () => {});
  }

  async function reload() {
    windows.forget();
    [unseen, active] = [0, -1];
    news.hidden = true;
    box.scrollTop = 0;
    head.replaceChildren(...heads(filters().sort ?? "newest", change));
    try {
      const content = await windows.load(0, true);
      draw();
      return content;
    } catch (error) {
      if (!kept.total) cover.fail(error);
      return null;
    }
  }

  // Rows stay where they are while somebody reads: further down, or with the pointer or focus inside.
  const isRead = () => box.scrollTop > 0 || node.matches(":hover") || node.contains(document.activeElement);
  const refresh = throttled(() => {
    news.hidden = !(unseen && isRead());
    setText(news, `${count(unseen)} ${unseen === 1 ? "object has" : "objects have"} news · show`);
    if (isRead() || !unseen) return;
    unseen = 0;
    windows.refresh().then(draw, () => {});
  }, REFRESH_MS);

  function move(step) {
    active = Math.min(kept.total - 1, Math.max(0, active + step));
    const page = place.visible();
    if (active < place.first()) place.show(active);
    else if (active >= place.first() + page - 1) place.show(active - page + 1);
    draw();
    const made = pool.find(({ index, node: row }) => index === active && !row.hidden);
    if (made) box.setAttribute("aria-activedescendant", made.node.id);
  }

  box.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  box.addEventListener("keydown", (event) => {
    const page = place.visible();
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -kept.total, End: kept.total }[event.key];
    if (event.key === "Enter" && event.target === box && windows.row(active)) location.href = objectPath(windows.row(active));
    if (!step || !kept.total) return;
    event.preventDefault();
    move(step);
  });
  node.addEventListener("pointerleave", () => refresh());
  new ResizeObserver(() => draw()).observe(box);
  addEventListener("themechange", () => {
    for (const made of pool) made.drawn = null;
    draw();
  });

  return {
    node,
    reload,
    /** Take news: rows in view change where they stand; new ones wait until nobody reads. */
    hear({ rows, n_objects: n, seq }) {
      if (windows.renew(rows)) draw();
      if (seq > kept.newest) {
        kept.newest = seq;
        unseen += n;
      }
      refresh();
    },
    setState(given) {
      state = given;
      if (!kept.hasAnswer && given.kind === "live") reload();
      else if (kept.hasAnswer && !kept.total) cover.set(0, true, filters(), state);
    },
  };
}

/** The heads of the columns; those that sort say how. */
function heads(sort, change) {
  return COLUMNS.map(({ key, text, title, sort: by }) => {
    const isUp = sort.startsWith("-");
    const isCurrent = sort.replace(/^-/, "") === by;
    const direction = isCurrent ? (isUp ? "ascending" : "descending") : "none";
    const next = isCurrent && !isUp ? `-${by}` : by === "newest" ? "" : by;
    return el("span", { role: "columnheader", class: `c ${key}`, "aria-sort": by ? direction : null, title },
      by ? el("button", { type: "button", onclick: () => change({ sort: next }) }, text, isCurrent ? (isUp ? " ↑" : " ↓") : "") : text);
  });
}
