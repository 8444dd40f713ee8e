"""A season of full ZTF packets: the real ones of schema 4.01 under new names, night after night."""

import io
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import fastavro

from broker_classifier.surveys.avro.container import open_container, parsed_schema

PACKETS = Path(__file__).parents[3] / "shared" / "data" / "alerts" / "ztf-4.01"
NIGHT_DAYS = 1.01  # further apart than `history_days`, so that every history is read
HISTORY_DAYS = 30.0
OF_A_TRANSIENT = {
    "ssdistnr": -999.0,
    "ssnamenr": None,
    "drb": 0.99,
    "sgscore1": 0.1,
    "neargaia": -999.0,
}
"""What the originals, asteroids and stars, must say so that no rule declines them."""


def has_packets() -> bool:
    """Say whether the real packets are on this machine."""
    return PACKETS.is_dir()


def full_packets(n_objects: int, n_nights: int) -> list[bytes]:
    """Make one packet for each object and night, night after night; about 60 kB each.

    Every object is a real one that is classified (a positive detection), under another name; the
    packet of a night has the detections of the nights before in its history.
    """
    originals, schema = _originals()
    objects = [_Object(originals[i % len(originals)], i) for i in range(n_objects)]
    return [
        one.packet(night, schema, 3_000_000_000_000_000_000 + night * n_objects + i)
        for night in range(n_nights)
        for i, one in enumerate(objects)
    ]


def _originals() -> tuple[list[dict[str, Any]], Any]:
    containers = [open_container(file.read_bytes()) for file in sorted(PACKETS.glob("*.avro"))]
    schemas = [parsed_schema(one.schema) for one in containers]
    records: list[Any] = [
        fastavro.schemaless_reader(io.BytesIO(body), schema, None)
        for one, schema in zip(containers, schemas, strict=True)
        for _, body in one.blocks()
    ]
    return [record for record in records if is_classified(record)], schemas[0]


def is_classified(record: dict[str, Any]) -> bool:
    """Say whether an alert is one that the bundle for ZTF answers: positive, in g or r."""
    return record["candidate"]["isdiffpos"] in ("t", "1") and record["candidate"]["fid"] in (1, 2)


class _Object:
    def __init__(self, original: dict[str, Any], number: int) -> None:
        self._record = deepcopy(original)
        self._record["objectId"] = object_name(number)
        self._record["candidate"] |= OF_A_TRANSIENT
        self._first_jd = float(original["candidate"]["jd"])
        self._history: list[dict[str, Any]] = list(original["prv_candidates"] or [])

    def packet(self, night: int, schema: Any, candid: int) -> bytes:
        candidate = self._record["candidate"]
        candidate["jd"] = jd = self._first_jd + night * NIGHT_DAYS
        candidate["candid"] = self._record["candid"] = candid
        recent = [one for one in self._history if one["jd"] > jd - HISTORY_DAYS]
        self._record["prv_candidates"] = recent
        packet = io.BytesIO()
        fastavro.writer(packet, schema, [self._record])
        fields = {name: candidate.get(name) for name in _names(recent)}
        self._history = [*recent, fields] if recent else recent
        return packet.getvalue()


def _names(history: Sequence[dict[str, Any]]) -> Sequence[str]:
    return list(history[0]) if history else []


def object_name(number: int) -> str:
    """Name the object with a number; all names are of one length."""
    letters = ""
    for _ in range(7):
        number, rest = divmod(number, 26)
        letters = chr(ord("a") + rest) + letters
    return f"ZTF99{letters}"
