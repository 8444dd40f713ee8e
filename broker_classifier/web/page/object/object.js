// One object: fetched, shown, and fetched again when its next answer comes.
import { ask, keepQuery, query } from "../common/api.js";
import { el, notice } from "../common/dom.js";
import { follow } from "../common/live.js";
import { start } from "../common/start.js";
import { objectView } from "./view.js";

async function show(main, frame) {
  const path = location.pathname.replace("/object/", "/api/objects/"); // as the server has it fetched beforehand
  const objectId = decodeURIComponent(location.pathname.split("/").slice(3).join("/"));
  document.title = `${objectId} · broker-classifier`;
  let view = null;
  const load = async () => {
    try {
      const history = await ask(path);
      if (view) view.set(history);
      else {
        view = objectView(history, { options: query(), onOptions: keepQuery, address: location.origin + path });
        main.replaceChildren(view.node);
      }
    } catch (error) {
      if (!view) main.replaceChildren(notice("This object cannot be shown", error.message, el("p", {}, el("a", { href: "/" }, "To the list of objects"))));
    }
  };
  await load();
  follow(null, ({ rows }) => {
    if (rows.some((row) => row.object_id === objectId)) load();
  }, (state) => {
    frame.setState(state);
    if (state.kind === "live" && !view) load();
  });
}

start(show);
