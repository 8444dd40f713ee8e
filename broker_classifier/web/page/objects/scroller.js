// A list too long for the browser: where it is scrolled to, in rows, and how tall it pretends to be.

export const ROW = 48;
const TALLEST = 12_000_000; // browsers end an element at some tens of millions of pixels

/** Measure a scrolled box with a head above its rows; `total` gives the number of rows. */
export function scroller(box, head, total) {
  const room = () => box.clientHeight - head.offsetHeight;
  const tall = () => Math.min(total() * ROW, TALLEST);
  const isTrue = () => total() * ROW <= TALLEST;
  const visible = () => Math.max(1, Math.floor(room() / ROW));
  const first = () => (isTrue() || tall() <= room() ? box.scrollTop / ROW : (box.scrollTop / (tall() - room())) * Math.max(0, total() - visible()));
  return {
    tall, visible, first,
    /** Where a row's top is, in the pixels of the scrolled content. */
    top: (row) => (isTrue() ? row * ROW : box.scrollTop - (first() - row) * ROW),
    /** Scroll so that a row is the first. */
    show(row) {
      box.scrollTop = isTrue() ? row * ROW : (row / Math.max(1, total() - visible())) * (tall() - room());
    },
  };
}
