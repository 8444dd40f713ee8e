// What stands in the list's place while it has no rows: loading, empty, none like that, an error.
import { el, notice } from "../common/dom.js";

const button = (text, press) => el("button", { type: "button", class: "toggle", onclick: press }, text);

/** Make the cover; `change` clears filters, `again` asks anew. */
export function listCover(change, again) {
  const node = el("div", { class: "cover" });
  const show = (...parts) => {
    node.hidden = false;
    node.replaceChildren(notice(...parts));
  };
  return {
    node,
    fail: (error) => show("Not now", error.message, button("Try again", again)),
    set(total, hasAnswer, filters, state) {
      const keys = Object.keys(filters).filter((key) => key !== "sort");
      if (total > 0) node.hidden = true;
      else if (!hasAnswer) show("Loading", "Asking the index.");
      else if (keys.length) show("No object is like that", "Every object lacks something that is asked for.", button("Clear all filters", () => change(Object.fromEntries(keys.map((key) => [key, ""])))));
      else if (state.kind === "live") show("The topic is empty", "Objects appear here as soon as the classifier answers the first alert.");
      else show("Nothing to show yet", state.text ?? "");
    },
  };
}
