"""ZTF alert packets for tests, written with fastavro."""

import io
import math
import zlib
from typing import Any

import fastavro

from broker_classifier.errors import MessageError
from broker_classifier.surveys import Alert, ztf
from broker_classifier.surveys.source.ztf_context import SAID

decode_batch = ztf.decoder()
JD_OFFSET = 2400000.5
NULLABLE_DOUBLE = ["null", "double"]
MEASUREMENT: list[dict[str, Any]] = [
    {"name": "jd", "type": "double"},
    {"name": "fid", "type": "int"},
    {"name": "candid", "type": ["null", "long"]},
    {"name": "magpsf", "type": ["null", "float"]},
    {"name": "sigmapsf", "type": ["null", "float"]},
    {"name": "isdiffpos", "type": ["null", "string"]},
    {"name": "diffmaglim", "type": ["null", "float"]},
    {"name": "ra", "type": NULLABLE_DOUBLE},
    {"name": "dec", "type": NULLABLE_DOUBLE},
    *({"name": name, "type": NULLABLE_DOUBLE} for name in SAID if name not in ("ra", "dec")),
    {"name": "ssnamenr", "type": ["null", "string"]},
]
FORCED: list[dict[str, Any]] = [
    {"name": "jd", "type": "double"},
    {"name": "fid", "type": "int"},
    {"name": "forcediffimflux", "type": ["null", "float"]},
    {"name": "forcediffimfluxunc", "type": ["null", "float"]},
    {"name": "magzpsci", "type": ["null", "float"]},
]


def decode(packet: bytes) -> Alert:
    """Decode one packet; raise what is wrong with it."""
    [alert] = decode_batch([packet])
    if isinstance(alert, MessageError):
        raise alert
    return alert


def record(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": fields}


def history(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": ["null", {"type": "array", "items": record(name, fields)}]}


SCHEMA = record(
    "alert",
    [
        {"name": "schemavsn", "type": "string"},
        {"name": "objectId", "type": "string"},
        {"name": "candid", "type": "long"},
        {"name": "candidate", "type": record("candidate", MEASUREMENT)},
        {"name": "prv_candidates", **history("prv_candidate", MEASUREMENT)},
        {"name": "fp_hists", **history("fp_hist", FORCED)},
    ],
)


def container(*records: dict[str, Any], schema: Any = SCHEMA, codec: str = "null") -> bytes:
    packet = io.BytesIO()
    fastavro.writer(packet, fastavro.parse_schema(schema), records, codec=codec)
    return packet.getvalue()


def measurement(
    mjd: float, fid: int = 2, mag: float | None = 18.0, **fields: Any
) -> dict[str, Any]:
    """A detection; an upper limit of 20.5 where `mag` is None."""
    candid = None if mag is None else round(mjd * 1000)
    measured = {"magpsf": mag, "sigmapsf": None if mag is None else 0.05, "candid": candid}
    place = {"ra": 150.0, "dec": 2.0, "isdiffpos": "t", "diffmaglim": 20.5}
    return {"jd": mjd + JD_OFFSET, "fid": fid} | measured | place | fields


def alert(object_id: str, measurements: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """The alert of the last measurement, the others as its history."""
    *past, new = measurements
    whole = {"schemavsn": "4.02", "objectId": object_id, "candid": new["candid"]}
    return whole | {"candidate": new, "prv_candidates": past or None, "fp_hists": None} | fields


def flare(
    object_id: str, n: int = 6, start: float = 60000.0, first_alert_id: int | None = None
) -> list[bytes]:
    """The successive packets of a rising and falling object, g and r in turn, 30-day histories."""
    first = zlib.crc32(object_id.encode()) * 1000 if first_alert_id is None else first_alert_id
    points = [
        measurement(
            start + 3.0 * step,
            fid=1 + step % 2,
            mag=19.0 - 2.0 * math.exp(-((step - n / 2) ** 2) / n),
            candid=first + step,
        )
        for step in range(n)
    ]
    return [
        container(alert(object_id, [p for p in points[: i + 1] if p["jd"] > points[i]["jd"] - 30]))
        for i in range(n)
    ]
