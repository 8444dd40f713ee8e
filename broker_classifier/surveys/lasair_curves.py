"""Light curves as Lasair writes them in JSON, with what is known of their object -> `Alert`.

LSST: `diaSourcesList` and `diaForcedSourcesList`, nJy and MJD. ZTF: `candidates` (detections, and
non-detections without `candid`) and `forcedphot`, magnitudes and JD as in the survey's packets.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker_classifier.errors import SchemaError
from broker_classifier.light_curve import BANDS, EMPTY, Kind, LightCurve, light_curve
from broker_classifier.photometry import MJD_OFFSET_DAYS
from broker_classifier.surveys import ztf
from broker_classifier.surveys.alert import Alert
from broker_classifier.surveys.loose_json import integer, number

Row = Mapping[str, Any]

TIME_TOLERANCE_DAYS = 1e-6
TICKS_PER_DAY = 1e7
MAX_MJD = 1e6
_MAGNITUDES = (-50.0, 100.0)
_COUNTS = (-1e15, 1e15)
ZTF_NUMBERS = {
    "jd": (MJD_OFFSET_DAYS, MJD_OFFSET_DAYS + MAX_MJD),
    "fid": (1, 3),
    "magpsf": _MAGNITUDES,
    "sigmapsf": _MAGNITUDES,
    "diffmaglim": _MAGNITUDES,
    "magzpsci": _MAGNITUDES,
    "forcediffimflux": _COUNTS,
    "forcediffimfluxunc": _COUNTS,
    "ra": (0.0, 360.0),
    "dec": (-90.0, 90.0),
}
"""Fields of a ZTF entry that are numbers, and where they may lie; missing where they do not."""


@dataclass(frozen=True)
class Subject:
    """What a row says of its object beside the light curve.

    Attributes
    ----------
    survey, object_id : str
    ra, dec : float or None
        J2000, degrees.
    detected_mjd : float or None
        Time of the detection that the row speaks of, where it says so.
    written_mjd : float or None
        When Lasair wrote the row.
    """

    survey: str
    object_id: str
    ra: float | None = None
    dec: float | None = None
    detected_mjd: float | None = None
    written_mjd: float | None = None


def derived_alert_id(object_id: str, moment: str) -> int:
    """Make the id of an alert whose row carries none: 63 bits of a hash of object and moment.

    For a lite row, the moment is the newest detection's MJD in units of 1e-7 d: the same detection
    has the same id in every lite row, but not the survey's own id, which full rows carry.

    >>> derived_alert_id("313637921267122191", "609832068545")
    1625284207846070767
    """
    digest = hashlib.blake2b(f"{object_id}@{moment}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def alert_of_lists(subject: Subject, lists: Row) -> Alert | None:
    """Turn an object and its light curve into the alert of its newest detection.

    Of detections after the one that the row speaks of, which the object API may know already, the
    points are taken, but the alert is not theirs.

    Returns
    -------
    Alert or None
        None if the lists hold no detection.
    """
    return _READERS[subject.survey](subject, lists)


def alert_of_ztf_packet(packet: Row) -> Alert:
    """Read a ZTF alert packet that was written as JSON.

    Raises
    ------
    SchemaError
        If it does not say which object it is about, which alert it is, or when it was seen.
    """
    new = _ztf_entry(nested(packet, "candidate"))
    return ztf.alert_from_record(
        {
            "objectId": packet.get("objectId") if isinstance(packet.get("objectId"), str) else None,
            "candidate": new | {"candid": integer(packet.get("candid")) or new["candid"]},
            "prv_candidates": [
                _ztf_entry(entry) for entry in records(packet.get("prv_candidates"))
            ],
            "fp_hists": [_ztf_entry(entry) for entry in records(packet.get("fp_hists"))],
        }
    )


def alert_of_lsst_packet(packet: Row) -> Alert:
    """Read an LSST alert packet that was written as JSON.

    Raises
    ------
    SchemaError
        If it does not say which object it is about, or when it was seen.
    """
    source, about = nested(packet, "diaSource"), nested(packet, "diaObject")
    dia_object_id = integer(source.get("diaObjectId")) or integer(about.get("diaObjectId"))
    object_id = dia_object_id or integer(source.get("ssObjectId"))
    if not object_id or _mjd(source) is None:
        msg = "the packet has no usable `diaObjectId` or `diaSource.midpointMjdTai`"
        raise SchemaError(msg)
    lists = {
        "diaSourcesList": [source, *records(packet.get("prvDiaSources"))],
        "diaForcedSourcesList": packet.get("prvDiaForcedSources"),
    }
    decline = None if dia_object_id else "solar_system"
    return _lsst_alert(Subject("lsst", str(object_id)), lists, source, decline)


def _newest_lsst_alert(subject: Subject, lists: Row) -> Alert | None:
    sources = records(lists.get("diaSourcesList"))
    newest = _newest(((_mjd(entry), entry) for entry in sources), subject.detected_mjd)
    return _lsst_alert(subject, lists, newest) if newest else None


def _lsst_alert(subject: Subject, lists: Row, new: Row, decline: str | None = None) -> Alert:
    mjd = _mjd(new) or 0.0
    moment = str(round(mjd * TICKS_PER_DAY))
    return Alert(
        survey=subject.survey,
        object_id=subject.object_id,
        alert_id=integer(new.get("diaSourceId")) or derived_alert_id(subject.object_id, moment),
        mjd=mjd,
        curve=_lsst_curve(lists),
        ra=first_number(new, "ra") if subject.ra is None else subject.ra,
        dec=first_number(new, "decl", "dec") if subject.dec is None else subject.dec,
        decline=decline or (None if _lsst_point(new, Kind.DETECTION) else "no_photometry"),
    )


def _lsst_curve(lists: Row) -> LightCurve:
    kinds = {"diaSourcesList": Kind.DETECTION, "diaForcedSourcesList": Kind.FORCED}
    entries = [(entry, kind) for key, kind in kinds.items() for entry in records(lists.get(key))]
    points = [point for entry, kind in entries if (point := _lsst_point(entry, kind))]
    return light_curve(*zip(*points, strict=True)) if points else EMPTY


def _lsst_point(entry: Row, kind: Kind) -> tuple[float, float, float, int, Kind, bool] | None:
    mjd, band = _mjd(entry), entry.get("band")
    flux, flux_err = number(entry.get("psfFlux")), number(entry.get("psfFluxErr"))
    if mjd is None or flux is None or flux_err is None or band not in tuple(BANDS):
        return None
    is_withdrawn = number(entry.get("timeWithdrawnMjdTai")) is not None
    return mjd, flux, flux_err, BANDS.index(str(band)), kind, is_withdrawn


def _mjd(entry: Row) -> float | None:
    mjd = number(entry.get("midpointMjdTai"))
    return mjd if mjd is not None and 0.0 < mjd < MAX_MJD else None


def _newest_ztf_alert(subject: Subject, lists: Row) -> Alert | None:
    """Put the object's candidates into the form of an alert packet, the newest as its own."""
    entries = [_ztf_entry(entry) for entry in records(lists.get("candidates"))]
    until = None if subject.detected_mjd is None else subject.detected_mjd + MJD_OFFSET_DAYS
    detections = ((entry["jd"], entry) for entry in entries if entry["candid"])
    newest = _newest(detections, until)
    if newest is None:
        return None
    place = {"ra": subject.ra, "dec": subject.dec}
    known_place = {name: newest[name] for name in place if newest[name] is not None}
    return ztf.alert_from_record(
        {
            "objectId": subject.object_id,
            "candidate": {**newest, **place, **known_place},
            "prv_candidates": [entry for entry in entries if entry is not newest],
            "fp_hists": [_ztf_entry(entry) for entry in records(lists.get("forcedphot"))],
        }
    )


def _ztf_entry(entry: Row) -> dict[str, Any]:
    """Keep what an alert needs of an entry, each field of the type that Avro would give it."""
    ranges = {name: (number(entry.get(name)), *limits) for name, limits in ZTF_NUMBERS.items()}
    numbers = {
        name: value if value is not None and low <= value <= high else None
        for name, (value, low, high) in ranges.items()
    }
    sign = entry.get("isdiffpos")
    sign = str(sign) if isinstance(sign, str | int) else "t"
    return {**numbers, "isdiffpos": sign, "candid": integer(entry.get("candid"))}


def _newest(
    entries: Iterable[tuple[float | None, dict[str, Any]]], until: float | None
) -> dict[str, Any] | None:
    """Find the newest entry up to a time; the newest of all where none is as old as that."""
    dated = [(when, entry) for when, entry in entries if when is not None]
    limit = float("inf") if until is None else until + TIME_TOLERANCE_DAYS
    past = [one for one in dated if one[0] <= limit] or dated
    return max(past, key=lambda one: one[0])[1] if past else None


def records(values: Any) -> list[dict[str, Any]]:
    """Return the objects in a JSON array; none where it is no array."""
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def nested(row: Row, key: str) -> dict[str, Any]:
    """Return the object that stands under a key; an empty one where none does."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def first_number(row: Row, *names: str) -> float | None:
    """Return the first of these fields that holds a finite number.

    >>> first_number({"ra": "NaN", "ramean": "150.1"}, "ra", "ramean")
    150.1
    """
    return next((n for name in names if (n := number(row.get(name))) is not None), None)


_READERS = {"lsst": _newest_lsst_alert, "ztf": _newest_ztf_alert}
