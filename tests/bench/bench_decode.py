"""Decoding, ours against fastavro and cavro in one run: python -m tests.bench.bench_decode.

Decoding is from the bytes of a record to values: for ours the arrays that become light curves, for
the others the record as Python objects (their schemas parsed beforehand). "Head" stops
behind the new detection, "whole" is from the message to the `Alert`. The figures that count are
ratios: all are measured in turn, one batch each.
"""

import io
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import cavro
import fastavro
import orjson

from broker_classifier.surveys import Alert, BatchDecoder, lsst, ztf
from broker_classifier.surveys.avro.container import open_container, parsed_schema
from broker_classifier.surveys.avro.layout import Layout
from broker_classifier.surveys.avro.projection import Encoded, Projector
from broker_classifier.surveys.avro.schema_sources import folder_schemas
from tests.bench.figures import entry, table
from tests.bench.rubin_visits import SCHEMA_ID, SCHEMAS, has_schemas, visit

ALERTS = Path(__file__).parents[3] / "shared" / "data" / "alerts"
BATCH, FEW = 500, 60


class Stream(NamedTuple):
    """What is measured on: messages of one kind, and their records.

    Attributes
    ----------
    batch : int
        How many of them ours decode at once.
    """

    name: str
    layout: Layout
    decode: BatchDecoder
    messages: list[bytes]
    records: list[Encoded]
    batch: int = BATCH


def streams() -> list[Stream]:
    """Return those whose packets are on this machine."""
    found = [ztf_stream(name) for name in ("ztf-4.01", "ztf-3.3") if (ALERTS / name).is_dir()]
    return [*found, lsst_deep()] if has_schemas() else found


def ztf_stream(folder: str) -> Stream:
    messages = [file.read_bytes() for file in sorted((ALERTS / folder).glob("*.avro"))]
    containers = [open_container(message) for message in messages]
    records = [
        Encoded(body, 0, len(body), one.schema) for one in containers for _, body in one.blocks()
    ]
    return Stream(folder, ztf.LAYOUT, ztf.decoder().full, messages, records)


def lsst_deep() -> Stream:
    """Take deep-field alerts: 340 previous and 340 forced sources."""
    schemas, messages = folder_schemas(SCHEMAS), list(visit(0.0, 20))
    schema = schemas.schema(SCHEMA_ID)
    records = [Encoded(one, lsst.HEADER_SIZE, len(one), schema) for one in messages]
    return Stream("lsst-deep", lsst.LAYOUT, lsst.decoder(schemas).full, messages, records, FEW)


def entries(repetitions: int = 7) -> list[dict[str, Any]]:
    """Measure every stream; one entry for each of our figures and each reference."""
    return [one for stream in streams() for one in measured(stream, repetitions)]


def measured(stream: Stream, repetitions: int) -> list[dict[str, Any]]:
    contenders = ours(stream) | theirs(stream)
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for repetition in range(repetitions + 1):
        for name, (n, work) in contenders.items():
            started = time.perf_counter()
            work()
            if repetition:  # the first compiles and warms up
                rates[name].append(n / (time.perf_counter() - started))
    return [
        entry(
            f"decode {stream.name}, {what}",
            rates[what],
            "alerts/s",
            reference,
            rates[reference],
        )
        for what in ("to arrays", "head to arrays", "whole message")
        for reference in ("fastavro", "cavro")
    ]


Work = dict[str, tuple[int, Callable[[], object]]]


def ours(stream: Stream) -> Work:
    projector, n = Projector(stream.layout), stream.batch
    records = list(islice(cycle(stream.records), n))
    messages = [bytes(bytearray(one)) for one in islice(cycle(stream.messages), n)]
    assert all(isinstance(one, Alert) for one in stream.decode(messages))
    return {
        "to arrays": (n, lambda: projector.project(records)),
        "head to arrays": (n, lambda: projector.project(records, head_only=True)),
        "whole message": (n, lambda: stream.decode(messages)),
    }


def theirs(stream: Stream) -> Work:
    records = stream.records[:FEW]
    bodies = [(one.message[one.begin : one.end], one.schema) for one in records]
    schemas = {schema: cavro.Schema(without_defaults(schema)) for _, schema in bodies}

    def read_fastavro() -> None:
        for body, schema in bodies:
            fastavro.schemaless_reader(io.BytesIO(body), parsed_schema(schema), None)

    def read_cavro() -> None:
        for body, schema in bodies:
            schemas[schema].binary_decode(body)

    return {"fastavro": (len(bodies), read_fastavro), "cavro": (len(bodies), read_cavro)}


def without_defaults(schema: bytes) -> str:
    """Leave defaults out: cavro refuses those of ZTF, which are of no use to a reader."""
    text: str = orjson.dumps(_without(orjson.loads(schema))).decode()
    return text


def _without(part: Any) -> Any:
    if isinstance(part, list):
        return [_without(one) for one in part]
    if isinstance(part, dict):
        return {key: _without(value) for key, value in part.items() if key != "default"}
    return part


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n" if streams() else f"no alert packets in {ALERTS}\n")
