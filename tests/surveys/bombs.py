"""Small messages that stand for gigabytes, or for work without end.

`python -m tests.surveys.bombs FILE` decodes the messages of a file, many times, and prints the
largest memory (MB) that the process had before and after.
"""

import io
import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
import orjson

from broker_classifier.surveys import lasair, ztf
from broker_classifier.surveys.alert import Decoder
from broker_classifier.surveys.avro.container import MAGIC, lone_container
from broker_classifier.training.fit.tensorboard import varint
from tests.ztf_packets import SCHEMA, alert, container, measurement

N_BATCHES, BATCH = 1, 12
ALERT = alert("ZTF1", [measurement(60000.0)])
GOOD = container(ALERT)
ENDLESS = varint(2 << 40) + b"\0"  # an array of 2^40 items
NESTED = {"type": "record", "name": "N", "fields": [{"name": "in", "type": ["null", "N"]}]}
SMALL = {"type": "record", "name": "Small", "fields": [{"name": "x", "type": "boolean"}]}
TOO_LARGE, TOO_DEEP = "decompresses to more than 16 MiB", "nested more than 64 times"
TOO_MANY_ROWS, TOO_MANY_FIELDS = "more than 50000 entries", "more than 20000 fields"


class Bomb(NamedTuple):
    """A message, of which survey, and what a dead letter of it says."""

    name: str
    message: bytes
    reason: str
    survey: str = "ztf"


def decoders() -> dict[str, Decoder]:
    return {"ztf": ztf.decoder(), "lasair": lasair.decoder({})}


def bombs() -> list[Bomb]:
    return [*compressed(), *announced(), *nested(), *left_to_fastavro(), *rows_of_lasair()]


def compressed() -> Iterator[Bomb]:
    for codec in ("deflate", "snappy", "zstandard"):
        large = ALERT | {"more": bytes(70 << 20)}
        yield Bomb(codec, container(large, schema=with_more("bytes"), codec=codec), TOO_LARGE)
    whole = container(ALERT | {"more": bytes(15 << 20)}, schema=with_more("bytes"), codec="deflate")
    block = whole[whole.index(whole[-16:]) + 16 :]
    yield Bomb("many blocks", whole + 99 * block, "holds 100 records")
    many = with_more("null", prv_candidates=array_of(SMALL))
    rows = ALERT | {"prv_candidates": [{"x": True}] * 3_000_000, "more": None}
    yield Bomb("history", container(rows, schema=many, codec="deflate"), TOO_MANY_ROWS)


def announced() -> Iterator[Bomb]:
    """Yield messages that announce more than they have."""
    yield Bomb("header", MAGIC + varint(2 << 40) + bytes(5 << 20), "more than 100 entries")
    for name, items in (("nulls", "null"), ("empty records", doubled(1))):
        yield Bomb(
            name, packet(array_of(items), ENDLESS), "`more`: it has more items than any alert"
        )
    yield Bomb("doubles", packet(array_of("double"), ENDLESS), "announces more than there are")


def nested() -> Iterator[Bomb]:
    large = orjson.dumps(with_more("null") | {"doc": "x" * (1 << 20)})
    yield Bomb("large schema", lone_container(large, b"\0"), "no alert's has more than 262144")
    yield Bomb("doubled schema", packet(doubled(40), b""), TOO_MANY_FIELDS)
    deep = '{"type":"array","items":' * 900 + '"int"' + "}" * 900
    yield Bomb("deep schema", packet(orjson.Fragment(deep), b"\0"), "nested too deeply")
    yield Bomb("deep record", packet(NESTED, b"\2" * (5 << 20)), TOO_DEEP)


def left_to_fastavro() -> Iterator[Bomb]:
    """Yield messages whose schema cannot be compiled, as its `objectId` is no string."""
    bytes_id = {"objectId": "bytes"}
    yield Bomb("slow nulls", packet(array_of("null"), ENDLESS, **bytes_id), "have no bytes")
    yield Bomb("slow doubled schema", packet(doubled(40, "int"), b"", **bytes_id), TOO_MANY_FIELDS)
    yield Bomb("slow deep record", packet(NESTED, b"\2" * 500_000, **bytes_id), TOO_DEEP)
    large = packet("bytes", varint(4 << 20) + bytes(2 << 20), **bytes_id)
    yield Bomb("slow bytes", large, "only smaller ones are read")
    many = with_more("int", prv_candidates=array_of(SMALL), **bytes_id)
    rows = ALERT | {"objectId": b"ZTF1", "prv_candidates": [{"x": True}] * 900_000, "more": 0}
    yield Bomb("slow history", container(rows, schema=many), TOO_MANY_ROWS)


def rows_of_lasair() -> Iterator[Bomb]:
    """Yield JSON of a few bytes a part, each of which is hundreds in memory."""
    start, end = b'{"objectId": "ZTF1", "candidates": [', b"]}"
    yield Bomb("objects", start + b"{}," * 3_000_000 + b"{}" + end, "objects and arrays", "lasair")
    yield Bomb("numbers", start + b"1," * 60_000 + b"1" + end, TOO_MANY_ROWS, "lasair")
    yield Bomb("brackets", b"[" * 9_000_000, "objects and arrays", "lasair")
    yield Bomb("deep row", b"[" * 100_000, "nested too deeply", "lasair")


def packet(kind: Any, more: bytes, **types: Any) -> bytes:
    """A container of an alert that is in order up to a field behind its own."""
    whole, body = ALERT | ({"objectId": b"ZTF1"} if types else {}), io.BytesIO()
    schema = with_more("null", **types)
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), whole | {"more": None})
    return lone_container(orjson.dumps(with_more(kind, **types)), body.getvalue() + more)


def with_more(kind: Any, **types: Any) -> dict[str, Any]:
    """ZTF's schema with a field behind its own, and other types of some of these."""
    own = [field | {"type": types.get(field["name"], field["type"])} for field in SCHEMA["fields"]]
    return SCHEMA | {"fields": [*own, {"name": "more", "type": kind}]}


def array_of(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def doubled(levels: int, *kinds: str) -> Any:
    """A record of two records of two records ... of fields of these kinds, or of nothing."""
    fields = [{"name": kind, "type": kind} for kind in kinds]
    kind: Any = {"type": "record", "name": "L0", "fields": fields}
    for level in range(1, levels):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": f"L{level - 1}"}]
        kind = {"type": "record", "name": f"L{level}", "fields": fields}
    return kind


def largest_memory_mb() -> float:
    """Return the most that this process had; getrusage would tell of the one that started it."""
    [line] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024.0


if __name__ == "__main__":
    messages = pickle.loads(Path(sys.argv[1]).read_bytes())
    by_survey = decoders()
    by_survey["ztf"]([GOOD])
    before = largest_memory_mb()
    for survey, message in messages:
        for _ in range(N_BATCHES):
            by_survey[survey]([message, GOOD] * (BATCH // 2))
    sys.stdout.write(f"{before} {largest_memory_mb()}")
