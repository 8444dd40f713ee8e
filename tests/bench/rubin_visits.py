"""Visits of Rubin to a deep field: 300 kB a message, of the published schema, made-up values."""

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import orjson

from broker_classifier.surveys import lsst
from broker_classifier.surveys.avro.schema_sources import folder_schemas

SCHEMAS = Path(__file__).parents[3] / "shared" / "data" / "alerts" / "lsst-schemas"
SCHEMA_ID, HISTORY = 1000, 340
CUTOUT_BYTES = 30_000
FIRST_MJD, SPAN_DAYS = 61000.0, 300.0
_N_ORIGINALS = 20
_IDS = 2**61  # above it, an id takes 9 bytes whatever it is


def has_schemas() -> bool:
    """Say whether Rubin's schemas are on this machine."""
    return SCHEMAS.is_dir()


def visit(days: float, n_alerts: int) -> Iterator[bytes]:
    """Yield the messages of one visit, so many days after the first: a detection of n objects.

    Each object has 340 previous sources and 340 forced ones, in all six bands, at the times and
    fluxes of one of 20 originals.
    """
    rng = random.Random(1)
    originals = [original(rng, days) for _ in range(_N_ORIGINALS)]
    for i in range(n_alerts):
        ids = varint(_IDS + 1), varint(_IDS + 2)
        own = varint(_IDS + 2**40 + i), varint(_IDS + 2**41 + (round(1e5 * days) << 30) + i)
        message = originals[i % _N_ORIGINALS]
        for placeholder, real in zip(ids, own, strict=True):
            message = message.replace(placeholder, real)
        yield message


OF_A_TRANSIENT = {
    "ssObjectId": None,
    "reliability": 0.99,
    "isDipole": False,
    "templateFlux": 100.0,
    "ra": 150.0,
    "dec": 2.0,
}
"""What no rule declines."""


def original(rng: random.Random, days: float) -> bytes:
    """Make the message of a detection, so many days after the first, with placeholders for ids."""
    schema = folder_schemas(SCHEMAS).schema(SCHEMA_ID)
    named: dict[str, Any] = {}
    parsed = fastavro.parse_schema(orjson.loads(schema), named_schemas=named)
    alert = filled(parsed, named, rng)
    new = alert["diaSource"]
    times = sorted(rng.uniform(FIRST_MJD, FIRST_MJD + SPAN_DAYS) for _ in range(HISTORY))
    for mjd, source, forced in zip(
        times, alert["prvDiaSources"], alert["prvDiaForcedSources"], strict=True
    ):
        measure(source, mjd, rng)
        measure(forced, mjd + 1e-4, rng)
    measure(new, FIRST_MJD + SPAN_DAYS + 1.0 + days, rng)
    new |= OF_A_TRANSIENT
    alert["diaObject"]["diaObjectId"] = new["diaObjectId"] = _IDS + 1
    alert["diaSourceId"] = new["diaSourceId"] = _IDS + 2
    body = io.BytesIO(b"\0" + SCHEMA_ID.to_bytes(4, "big"))
    body.seek(lsst.HEADER_SIZE)
    fastavro.schemaless_writer(body, parsed, alert)
    return body.getvalue()


def measure(source: dict[str, Any], mjd: float, rng: random.Random) -> None:
    """Give a source a time and a flux, and do not withdraw it."""
    source |= {"midpointMjdTai": mjd, "psfFlux": rng.uniform(500.0, 5000.0), "psfFluxErr": 80.0}
    source |= {"timeWithdrawnMjdTai": None} if "timeWithdrawnMjdTai" in source else {}


def varint(value: int) -> bytes:
    """Encode a positive integer as Avro does.

    >>> varint(1), varint(64)
    (b'\\x02', b'\\x80\\x01')
    """
    rest, encoded = value << 1, bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest])


def filled(schema: Any, named: dict[str, Any], rng: random.Random) -> Any:
    """Make up a value of a schema: histories of 340, a tenth of what may be null null."""
    if isinstance(schema, list):
        rest = [one for one in schema if one != "null"]
        is_null = "null" in schema and isinstance(rest[0], str) and rest[0] not in named
        return None if is_null and rng.random() < 0.1 else filled(rest[0], named, rng)
    if isinstance(schema, str):
        return filled(named[schema], named, rng) if schema in named else _SIMPLE[schema](rng)
    if schema["type"] == "record":
        whole = {f["name"]: filled(f["type"], named, rng) for f in schema["fields"]}
        return whole | ({"band": rng.choice("ugrizy")} if "band" in whole else {})
    if schema["type"] == "array":
        return [filled(schema["items"], named, rng) for _ in range(HISTORY)]
    return filled(schema["type"], named, rng)


_SIMPLE: dict[str, Callable[[random.Random], Any]] = {
    "boolean": lambda rng: rng.random() < 0.1,
    "int": lambda rng: rng.randrange(1000),
    "long": lambda rng: rng.randrange(2**50),
    "float": lambda rng: rng.gauss(0.0, 1000.0),
    "double": lambda rng: rng.uniform(60000.0, 61000.0),
    "string": lambda rng: "a text",
    "bytes": lambda rng: rng.randbytes(CUTOUT_BYTES),
}
