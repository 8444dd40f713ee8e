"""The real annotator beside the demo's service, and the annotations that a Lasair takes from it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from broker_classifier.demo.play import Playing, View
from broker_classifier.demo.service_process import child_process, clean_environment
from broker_classifier.lasair.annotation.write_annotation import Annotation
from broker_classifier.lasair.sending.outbox import Outbox

SURVEY = "ztf"
TOPIC, TOKEN = "demo", "demo-token"
LOG_FILE, OUTBOX_FILE = "annotator.log", "annotations.sqlite"
_CALLS_PER_HOUR = 10_000
_LOOK_EVERY_S = 1.0
_LAST_ONES_S = 20.0
_LAST_SHOWN = 3


@contextmanager
def running_annotator(
    bootstrap_servers: str, endpoint: str | None, folder: Path
) -> Iterator[Outbox | None]:
    """Run `annotate` against a Lasair that knows the demo's annotator; stop it at the end.

    Yields
    ------
    Outbox or None
        What Lasair was told; None where there is no Lasair.
    """
    if endpoint is None:
        yield None
        return
    environment = clean_environment() | {
        "BROKER_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
        "BROKER_LASAIR__ZTF_ENDPOINT": endpoint,
        "BROKER_ANNOTATE__ZTF__TOPIC": TOPIC,
        "BROKER_ANNOTATE__ZTF__TOKEN": TOKEN,
        "BROKER_ANNOTATE__ZTF__CALLS_PER_HOUR": str(_CALLS_PER_HOUR),
        "BROKER_ANNOTATE__OUTBOX": str(folder / OUTBOX_FILE),
        "BROKER_ANNOTATE__PORT": "0",
    }
    command = [sys.executable, "-m", "broker_classifier.cli", "annotate"]
    with child_process(command, environment, folder / LOG_FILE):
        yield Outbox(folder / OUTBOX_FILE)


class AnnotatedView:
    """Shows the demo as another view does, and a line now and then of what Lasair has."""

    def __init__(self, shown: View, console: Console, outbox: Outbox) -> None:
        self._shown, self._console, self._outbox = shown, console, outbox
        self._told: dict[str, Annotation] = {}
        self._look_at = 0.0

    def show(self, playing: Playing) -> None:
        """Show the present state, and the newest annotation if there is one since the last look."""
        self._shown.show(playing)
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        annotations = self._outbox.sent(SURVEY)
        new = [
            name for name, annotation in annotations.items() if self._told.get(name) != annotation
        ]
        if new:
            self._console.print(annotations_line(annotations, new[-1]), highlight=False)
        self._told = annotations


def annotated_view(shown: View, console: Console, outbox: Outbox | None) -> View:
    """Let a view tell of annotations, where there are any."""
    return AnnotatedView(shown, console, outbox) if outbox else shown


def wait_for_the_last(outbox: Outbox | None, console: Console) -> None:
    """Wait until no annotation waits any more, for a while at most; say how many there are."""
    if outbox is None:
        return
    give_up_at = time.monotonic() + _LAST_ONES_S
    while outbox.depth(SURVEY, time.time()).n_waiting and time.monotonic() < give_up_at:
        time.sleep(_LOOK_EVERY_S / 10)
    annotations = outbox.sent(SURVEY)
    for object_id in list(annotations)[:_LAST_SHOWN]:
        console.print(f"{object_id}: {annotations[object_id]['explanation']}", highlight=False)
    console.print(f"Lasair has annotations of {len(annotations)} objects.")


def annotations_line(annotations: dict[str, Annotation], object_id: str) -> str:
    """Say how many objects Lasair has annotations of, and what it says of one.

    >>> annotations_line({"ZTF26a": {"explanation": "SNIa (p = 0.80) from 3 points."}}, "ZTF26a")
    'Lasair has annotations of 1 objects; ZTF26a: SNIa (p = 0.80) from 3 points.'
    """
    explanation = annotations[object_id]["explanation"]
    return f"Lasair has annotations of {len(annotations)} objects; {object_id}: {explanation}"
