// The live stream. The browser's EventSource comes back by itself with the number it had last;
// where it gives up (the server answered with an error), it is opened anew.

const AGAIN_MS = 2000;

/**
 * Follow the stream.
 * onAnswers gets {rows, n_objects, seq}; onState gets {kind: "live" | "waiting" | "offline", text}.
 */
export function follow(since, onAnswers, onState) {
  let last = since;
  let source = null;
  const open = () => {
    source = new EventSource(last === null ? "/api/stream" : `/api/stream?since=${last}`);
    source.addEventListener("answers", (event) => {
      last = Number(event.lastEventId);
      onAnswers(JSON.parse(event.data));
    });
    source.addEventListener("state", (event) => onState(stateOf(JSON.parse(event.data))));
    source.addEventListener("error", () => {
      onState({ kind: "offline", text: "The server does not answer; trying again." });
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      setTimeout(open, AGAIN_MS);
    });
  };
  open();
  // A page that goes into the browser's cache must not hold a connection.
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}

function stateOf({ waiting_for: waitingFor, lag }) {
  if (waitingFor) return { kind: "waiting", text: `Waiting: ${waitingFor}` };
  if (lag > 2000) return { kind: "waiting", text: `Catching up: ${lag} answers to go` };
  return { kind: "live", text: "Live" };
}
