"""Classifications, dead letters and bundles for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import orjson
from rich.table import Table

from broker_classifier.model.find_bundle import ShippedBundle
from broker_classifier.streams.classification import ClassificationMessage
from broker_classifier.streams.dead_letters import DeadLetter
from broker_classifier.streams.replay_letters import facts

_COLUMNS = "{:<20} {:>19} {:>11} {:>6} {:>5}  {:<11} {:>5}  {}"
RUNNERS_UP = 2


def table_lines(messages: Iterable[ClassificationMessage], *, as_json: bool) -> Iterator[str]:
    """Write classifications as they come: JSON lines, or a table whose header comes with a row."""
    for i, message in enumerate(messages):
        if as_json:
            yield message.model_dump_json(by_alias=True)
            continue
        if i == 0:
            yield table_header()
        yield table_row(message)


def table_header() -> str:
    """Return the names of `table_row`'s columns."""
    return _COLUMNS.format("object", "alert", "mjd", "points", "bits", "class", "prob", "next")


def table_row(message: ClassificationMessage) -> str:
    """Return one classification as a line."""
    ranked = sorted(message.probabilities.items(), key=lambda item: -item[1])
    runners_up = "  ".join(f"{name} {value:.2f}" for name, value in ranked[1 : 1 + RUNNERS_UP])
    return _COLUMNS.format(
        message.object_id,
        message.alert_id,
        f"{message.mjd:.3f}",
        message.n_points_used,
        "-" if message.information_bits is None else f"{message.information_bits:.2f}",
        message.top_class,
        f"{message.probability:.2f}",
        runners_up,
    )


def dead_letter_row(letter: DeadLetter) -> str:
    """Return one dead letter as a line."""
    failed_at = datetime.fromtimestamp(max(letter.failed_at_ms, 0) / 1000.0, UTC)
    origin = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    state = "came back" if letter.came_back_from else "replayed" if letter.is_replayed else "new"
    return (
        f"{failed_at:%Y-%m-%dT%H:%M:%SZ}  {state:<9}  {origin}  {len(letter.value)} bytes  "
        f"{letter.reason}: {letter.explanation}"
    )


def dead_letter_json(letter: DeadLetter) -> str:
    """Return one dead letter as JSON, without its bytes."""
    return orjson.dumps(facts(letter)).decode()


def bundles_table(bundles: Sequence[ShippedBundle]) -> Table:
    """Return bundles as a table as wide as the terminal."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ShippedBundle._fields:
        table.add_column(name, overflow="fold")
    for bundle in bundles:
        classes = ", ".join(bundle.classes)
        table.add_row(bundle.name, bundle.version, bundle.survey, classes, str(bundle.folder))
    return table


def bundles_json(bundles: Sequence[ShippedBundle]) -> str:
    """Return bundles as a JSON array."""
    return orjson.dumps([bundle._asdict() for bundle in bundles], default=str).decode()
