"""Schemas in the shape of Rubin's, of our own making, and packets written with them."""

import io
import json
from pathlib import Path
from typing import Any

import fastavro

from broker_classifier.surveys.avro.schema_sources import self_contained

NULL_FLOAT, NULL_DOUBLE, NULL_LONG = (["null", kind] for kind in ("float", "double", "long"))
FORCED = {
    "diaForcedSourceId": "long",
    "midpointMjdTai": "double",
    "psfFlux": NULL_FLOAT,
    "psfFluxErr": NULL_FLOAT,
    "band": ["null", "string"],
    "timeWithdrawnMjdTai": NULL_DOUBLE,
}
SOURCE = {
    "diaSourceId": "long",
    "diaObjectId": NULL_LONG,
    "ssObjectId": NULL_LONG,
    "ra": "double",
    "dec": "double",
    "centroid_flag": ["null", "boolean"],
    **FORCED,
}
del SOURCE["diaForcedSourceId"]
SAID = {
    "reliability": NULL_FLOAT,
    "isDipole": ["null", "boolean"],
    "templateFlux": NULL_FLOAT,
    "scienceFlux": NULL_FLOAT,
    "extendedness": NULL_FLOAT,
}
NAMESPACE = "lsst.v12_3"
SCHEMA_ID = 1203


def record(name: str, **fields: Any) -> dict[str, Any]:
    parts = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "namespace": NAMESPACE, "name": name, "fields": parts}


def history(name: str) -> list[Any]:
    return ["null", {"type": "array", "items": f"{NAMESPACE}.{name}"}]


ALERT = record(
    "alert",
    diaSourceId="long",
    diaSource=f"{NAMESPACE}.diaSource",
    prvDiaSources=history("diaSource"),
    prvDiaForcedSources=history("diaForcedSource"),
    diaObject=["null", "diaObject"],
    ssSource=["null", "ssSource"],
    cutoutScience=["null", "bytes"],
)
PARTS = [
    record("diaSource", **SOURCE, **SAID),
    record("diaForcedSource", **FORCED),
    record(
        "diaObject",
        diaObjectId=NULL_LONG,
        ra=NULL_DOUBLE,
        firstDiaSourceMjdTai=NULL_DOUBLE,
        nDiaSources=["null", "int"],
    ),
    record("ssSource", designation=["null", "string"], ephOffset=NULL_FLOAT),
]


def write_schemas(folder: Path) -> Path:
    """Write a file for each type, as Rubin does."""
    for schema in (ALERT, *PARTS):
        place = folder / "a" / "layout"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{NAMESPACE}.{schema['name']}.avsc").write_text(json.dumps(schema))
    return folder


def tai(mjd: float) -> float:
    """A time in UTC as LSST and its simulations write it."""
    return mjd + 37.0 / 86400.0


def utc(mjd_tai: float) -> float:
    """The way back, to 1e-7 d."""
    return round(mjd_tai - 37.0 / 86400.0, 7)


def source(mjd: float, band: str | None = "r", flux: float | None = 1000.0, **more: Any) -> Any:
    known = {"midpointMjdTai": tai(mjd), "psfFlux": flux, "psfFluxErr": 50.0, "band": band}
    ids = {"diaSourceId": round(mjd * 1000), "diaObjectId": 2**62 + 1, "ssObjectId": None}
    return ids | {"ra": 10.0, "dec": -5.0, "centroid_flag": None} | known | {
        "timeWithdrawnMjdTai": None
    } | more  # fmt: skip


def forced(mjd: float, band: str = "g", flux: float | None = 30.0, **more: Any) -> Any:
    return {"diaForcedSourceId": 1} | source(mjd, band, flux) | more


def packet(new: Any, past: Any = None, forced_past: Any = None, **more: Any) -> dict[str, Any]:
    whole = {"diaSourceId": new["diaSourceId"], "diaSource": new, "prvDiaSources": past}
    known = {"diaObject": {"diaObjectId": 2**62 + 1, "ra": 10.0}, "cutoutScience": b"x" * 100}
    return whole | {"prvDiaForcedSources": forced_past} | known | more


def parsed() -> Any:
    """The alert's schema, with the types that it names put in."""
    whole = self_contained(json.dumps(ALERT), map(json.dumps, PARTS))
    return fastavro.parse_schema(json.loads(whole))


def framed(content: dict[str, Any], schema_id: int = SCHEMA_ID) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, parsed(), content)
    return b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()
