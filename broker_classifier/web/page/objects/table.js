// The list of objects: only the rows in view are elements, and only their windows are asked for.
import { ask, objectPath, withQuery } from "../common/api.js";
import { el, notice, setText, throttled } from "../common/dom.js";
import { count } from "../common/format.js";
import { blankRow, COLUMNS, fillRow } from "./row.js";

const ROW = 48;
const WINDOW = 100;
const TALLEST = 12_000_000; // browsers end an element at some tens of millions of pixels
const REFRESH_MS = 1000;

export function objectTable(filters, change, onContent) {
  const spacer = el("div", { class: "spacer" });
  const body = el("div", { class: "rows", role: "rowgroup" });
  const head = el("div", { class: "row head", role: "row" });
  const scroll = el("div", { class: "scroll", role: "table", tabindex: "0", "aria-label": "Objects; arrow keys move, Enter opens" },
    el("div", { role: "rowgroup" }, head), spacer, body);
  const news = el("button", { type: "button", class: "news", hidden: true, onclick: () => toTop() });
  const cover = el("div", { class: "cover" });
  const node = el("div", { class: "table" }, news, scroll, cover);

  let total = 0;
  let newest = 0;
  let unseen = 0;
  let asked = 0;
  let active = -1;
  let state = { kind: "live" };
  let hasAnswer = false;
  const windows = new Map();
  const pool = [];

  const tall = () => Math.min(total * ROW, TALLEST);
  const firstRow = () => {
    const room = tall() - scroll.clientHeight + head.offsetHeight;
    if (total * ROW <= TALLEST || room <= 0) return scroll.scrollTop / ROW;
    return (scroll.scrollTop / room) * Math.max(0, total - visible());
  };
  const visible = () => Math.max(1, Math.floor((scroll.clientHeight - head.offsetHeight) / ROW));
  const row = (i) => windows.get(Math.floor(i / WINDOW))?.[i % WINDOW];

  async function load(page, { fresh = false } = {}) {
    const turn = asked;
    if (windows.has(page) && !fresh) return null;
    if (!windows.has(page)) windows.set(page, []);
    const content = await ask(withQuery("/api/objects", { ...filters(), offset: String(page * WINDOW), limit: String(WINDOW) }));
    if (turn !== asked) return null;
    windows.set(page, content.rows);
    total = content.total;
    newest = Math.max(newest, content.seq);
    hasAnswer = true;
    onContent(content);
    draw();
    return content;
  }

  function draw() {
    spacer.style.height = `${tall()}px`;
    const start = Math.max(0, Math.floor(firstRow()));
    const n = Math.min(total - start, visible() + 2);
    while (pool.length < n) {
      const made = blankRow();
      pool.push(made);
      body.append(made.node);
    }
    const offset = total * ROW <= TALLEST ? start * ROW : scroll.scrollTop - (firstRow() - start) * ROW;
    body.style.transform = `translateY(${offset}px)`;
    pool.forEach((made, k) => {
      made.node.hidden = k >= n;
      if (k < n) fillRow(made, row(start + k), start + k, start + k === active);
    });
    scroll.setAttribute("aria-rowcount", String(total + 1));
    for (const page of new Set([start, start + n - 1].map((i) => Math.floor(Math.max(0, i) / WINDOW)))) {
      if (total && !windows.has(page)) load(page).catch(fail);
    }
    drawCover();
  }

  function drawCover() {
    cover.hidden = total > 0;
    if (total > 0) return;
    if (!hasAnswer) cover.replaceChildren(notice("Loading", "Asking the index."));
    else if (Object.keys(filters()).some((key) => key !== "sort")) cover.replaceChildren(notice("No object is like that", "Every object lacks something that is asked for.", el("button", { type: "button", class: "toggle", onclick: () => change(Object.fromEntries(Object.keys(filters()).map((key) => [key, ""]))) }, "Clear all filters")));
    else cover.replaceChildren(notice(state.kind === "live" ? "The topic is empty" : "Nothing to show yet", state.kind === "live" ? "Objects appear here as soon as the classifier answers the first alert." : state.text ?? ""));
  }

  function fail(error) {
    if (total) return;
    cover.hidden = false;
    cover.replaceChildren(notice("Not now", error.message, el("button", { type: "button", class: "toggle", onclick: () => reload() }, "Try again")));
  }

  async function reload() {
    asked += 1;
    windows.clear();
    unseen = 0;
    news.hidden = true;
    active = -1;
    scroll.scrollTop = 0;
    drawHead();
    try {
      return await load(0, { fresh: true });
    } catch (error) {
      fail(error);
      return null;
    }
  }

  // Rows stay where they are while somebody reads: further down, or with the pointer or focus inside.
  const isRead = () => scroll.scrollTop > 0 || node.matches(":hover") || node.contains(document.activeElement);
  const refresh = throttled(() => {
    if (isRead()) {
      news.hidden = unseen === 0;
      setText(news, `${count(unseen)} ${unseen === 1 ? "object has" : "objects have"} news · show`);
      return;
    }
    unseen = 0;
    news.hidden = true;
    for (const page of [...windows.keys()]) if (page > 0) windows.delete(page);
    load(0, { fresh: true }).catch(() => {});
  }, REFRESH_MS);

  function toTop() {
    scroll.scrollTop = 0;
    reload();
  }

  function drawHead() {
    const sort = filters().sort ?? "newest";
    head.replaceChildren(...COLUMNS.map(({ key, text, title, sort: by }) => {
      const current = sort.replace(/^-/, "") === by;
      const direction = current ? (sort.startsWith("-") ? "ascending" : "descending") : "none";
      const cell = el("span", { role: "columnheader", class: `c ${key}`, "aria-sort": by ? direction : null, title });
      if (!by) cell.append(text);
      else cell.append(el("button", { type: "button", onclick: () => change({ sort: current && !sort.startsWith("-") ? `-${by}` : by === "newest" ? "" : by }) }, text, current ? (direction === "descending" ? " ↓" : " ↑") : ""));
      return cell;
    }));
  }

  scroll.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(() => draw()).observe(scroll);
  addEventListener("themechange", () => {
    for (const made of pool) made.drawn = null;
    draw();
  });
  node.addEventListener("pointerleave", () => refresh());
  scroll.addEventListener("keydown", (event) => {
    const page = visible();
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -total, End: total }[event.key];
    if (event.key === "Enter" && active >= 0 && event.target === scroll && row(active)) location.href = objectPath(row(active));
    if (!step || !total) return;
    event.preventDefault();
    active = Math.min(total - 1, Math.max(0, active + step));
    const top = firstRow();
    if (active < top || active >= top + page - 1) {
      const target = active < top ? active : active - page + 1;
      scroll.scrollTop = total * ROW <= TALLEST ? target * ROW : (target / Math.max(1, total - page)) * (tall() - scroll.clientHeight + head.offsetHeight);
    }
    draw();
    const shown = pool.find((made) => made.index === active && !made.node.hidden);
    if (shown) scroll.setAttribute("aria-activedescendant", shown.node.id);
  });
  drawHead();

  return {
    node,
    reload,
    /** Take news: rows in view change where they stand; new ones wait until nobody reads. */
    hear({ rows, n_objects: n, seq }) {
      const byKey = new Map(rows.map((one) => [one.key, one]));
      let isChanged = false;
      for (const list of windows.values()) {
        list.forEach((one, i) => {
          const newer = byKey.get(one.key);
          if (newer && newer.seq > one.seq) {
            list[i] = newer;
            isChanged = true;
          }
        });
      }
      if (seq > newest) {
        newest = seq;
        unseen += n;
      }
      if (isChanged) draw();
      refresh();
    },
    setState(given) {
      state = given;
      node.dataset.kind = given.kind;
      if (!total) drawCover();
      if (given.kind === "live" && !hasAnswer) reload();
    },
  };
}
