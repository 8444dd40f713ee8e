// The rows of the list as they have been asked for: windows of a hundred, kept until the list changes.
import { ask, withQuery } from "../common/api.js";

export const WINDOW = 100;

/** Keep the windows of a list; `filters` gives the query, `onContent` gets every answer. */
export function rowWindows(filters, onContent) {
  const windows = new Map();
  let turn = 0;
  const kept = { total: 0, newest: 0, hasAnswer: false };

  async function load(page, isFresh = false) {
    if (windows.has(page) && !isFresh) return null;
    if (!windows.has(page)) windows.set(page, []);
    const asked = turn;
    const content = await ask(withQuery("/api/objects", { ...filters(), offset: String(page * WINDOW), limit: String(WINDOW) }));
    if (asked !== turn) return null; // the list has changed meanwhile
    windows.set(page, content.rows);
    kept.total = content.total;
    kept.newest = Math.max(kept.newest, content.seq);
    kept.hasAnswer = true;
    onContent(content);
    return content;
  }

  return {
    kept,
    load,
    row: (i) => windows.get(Math.floor(i / WINDOW))?.[i % WINDOW],
    pagesOf: (first, last) => [...new Set([first, last].map((i) => Math.floor(Math.max(0, i) / WINDOW)))],
    /** Forget all: the list is another one. */
    forget() {
      turn += 1;
      windows.clear();
    },
    /** Ask for the first window anew; the others, when they come into view. */
    refresh() {
      for (const page of [...windows.keys()]) if (page > 0) windows.delete(page);
      return load(0, true);
    },
    /** Put newer rows in the places of their older selves; tell whether any was there. */
    renew(rows) {
      const byKey = new Map(rows.map((row) => [row.key, row]));
      let isChanged = false;
      for (const list of windows.values()) {
        list.forEach((row, i) => {
          const newer = byKey.get(row.key);
          if (!newer || newer.seq <= row.seq) return;
          list[i] = newer;
          isChanged = true;
        });
      }
      return isChanged;
    },
  };
}
