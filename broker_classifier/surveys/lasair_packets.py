"""Lasair's JSON in the form of the surveys' own packets, each field of the type that Avro gives it.

LSST: `diaSourcesList` and `diaForcedSourcesList`, nJy and MJD. ZTF: `candidates` (detections, and
non-detections without `candid`) and `forcedphot`, magnitudes and JD. The newest detection becomes
the packet's own, the others its history; what cannot be a measurement is missing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from broker_classifier.errors import DecodeError
from broker_classifier.light_curve import BANDS
from broker_classifier.light_curve.photometry import MJD_OFFSET_DAYS, mjd_from_tai
from broker_classifier.surveys.avro.container import Record
from broker_classifier.surveys.avro.layout import MOST_ROWS, TOO_MANY_ROWS
from broker_classifier.surveys.lasair_fields import (
    LSST_NUMBERS,
    LSST_SAID,
    LSST_SAID_OF_OBJECT,
    OTHER_NAMES,
    ZTF_NUMBERS,
    ZTF_SAID,
    Limits,
)
from broker_classifier.surveys.loose_json import integer, number

Row = Mapping[str, Any]

TIME_TOLERANCE_DAYS = 1e-6
TICKS_PER_DAY = 1e7
_POSITIVE = ("t", "1", "true")


@dataclass(frozen=True)
class Subject:
    """What a row says of its object beside the light curve.

    Attributes
    ----------
    survey, object_id : str
    ra, dec : float or None
        J2000, degrees.
    detected_mjd : float or None
        Time of the detection that the row speaks of, where it says so; LSST's in TAI.
    written_mjd : float or None
        When Lasair wrote the row (UTC).
    columns : mapping of str to Any
        The row's columns, their names in lower case.
    """

    survey: str
    object_id: str
    ra: float | None = None
    dec: float | None = None
    detected_mjd: float | None = None
    written_mjd: float | None = None
    columns: Row = field(default_factory=dict)

    @property
    def mjd(self) -> float | None:
        """When the object was seen, as far as the row tells (UTC)."""
        if self.detected_mjd and self.survey == "lsst":
            return mjd_from_tai(self.detected_mjd)
        return self.detected_mjd or self.written_mjd


@dataclass(frozen=True)
class Packet:
    """A decoded packet of one survey, and Sherlock's class of its object where the row has it."""

    survey: str
    record: Record
    sherlock_class: str | None = None


def derived_alert_id(object_id: str, moment: str) -> int:
    """Make the id of an alert whose row carries none: 63 bits of a hash of object and moment.

    For a lite row, the moment is the newest detection's MJD in units of 1e-7 d: the same detection
    has the same id in every lite row, but not the survey's own id, which full rows carry.

    >>> derived_alert_id("313637921267122191", "609832068545")
    1625284207846070767
    """
    digest = hashlib.blake2b(f"{object_id}@{moment}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def packet_of_lists(subject: Subject, lists: Row) -> Packet | None:
    """Put an object's light curve into the packet of its newest detection.

    Of detections after the one that the row speaks of, which the object API may know already, the
    points are taken, but the alert is not theirs.

    Returns
    -------
    Packet or None
        None if the lists hold no detection.
    """
    record = _WRITERS[subject.survey](subject, lists)
    return Packet(subject.survey, record, sherlock_class(subject.columns)) if record else None


def sherlock_class(columns: Row) -> str | None:
    """Read Sherlock's class of what is catalogued at the object's place.

    >>> sherlock_class({"classification": "VS"}), sherlock_class({"classification": ""})
    ('VS', None)
    """
    names = ("classification", "sherlock_classification", "sherlock_classifications")
    texts = (columns.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text), None)


def packet_of_json(packet: Row) -> Packet | None:
    """Read a survey's own packet that was written as JSON; None where it is none."""
    if isinstance(packet.get("candidate"), dict):
        candidate = _ztf_entry(packet["candidate"])
        candid = integer(packet.get("candid")) or candidate["candid"]
        return Packet("ztf", _ztf_record(packet, candidate | {"candid": candid}))
    if isinstance(packet.get("diaSource"), dict):
        object_id = integer(nested(packet, "diaObject").get("diaObjectId"))
        return Packet("lsst", _lsst_record(object_id, packet))
    return None


def _lsst_record(object_id: int | None, packet: Row) -> Record:
    about = nested(packet, "diaObject")
    return {
        "diaSource": _lsst_entry(packet["diaSource"]),
        "prvDiaSources": [_lsst_entry(entry) for entry in records(packet.get("prvDiaSources"))],
        "prvDiaForcedSources": [
            _lsst_entry(entry) for entry in records(packet.get("prvDiaForcedSources"))
        ],
        "diaObject": {"diaObjectId": object_id} | _numbers(about, LSST_SAID_OF_OBJECT)
        if object_id
        else None,
        "ssSource": {"designation": nested(packet, "ssSource").get("designation")},
    }


def _lsst_of_lists(subject: Subject, lists: Row) -> Record | None:
    sources = records(lists.get("diaSourcesList"))
    dated = ((_lsst_entry(entry)["midpointMjdTai"], entry) for entry in sources)
    new = _newest(dated, subject.detected_mjd)
    if new is None:
        return None
    mjd, newest = new
    derived = derived_alert_id(subject.object_id, str(round(mjd * TICKS_PER_DAY)))
    own = {"diaSourceId": integer(newest.get("diaSourceId")) or derived, **_place(subject)}
    packet = {
        "diaSource": _said(subject, LSST_SAID) | newest | own,
        "diaObject": _said(subject, LSST_SAID_OF_OBJECT),
        "prvDiaSources": [entry for entry in sources if entry is not newest],
        "prvDiaForcedSources": lists.get("diaForcedSourcesList"),
    }
    return _lsst_record(int(subject.object_id), packet)


def _lsst_entry(entry: Row) -> Record:
    numbers, band = _numbers(entry, LSST_NUMBERS), entry.get("band")
    dec = numbers["dec"] if numbers["decl"] is None else numbers["decl"]
    return numbers | {
        "dec": dec,
        "band": band if band in tuple(BANDS) else None,
        "isDipole": entry.get("isDipole"),
        "diaSourceId": integer(entry.get("diaSourceId")),
        "ssObjectId": integer(entry.get("ssObjectId")),
    }


def _ztf_record(packet: Row, candidate: Record) -> Record:
    object_id = packet.get("objectId")
    return {
        "objectId": object_id if isinstance(object_id, str) and object_id.isascii() else None,
        "candidate": candidate,
        "prv_candidates": [_ztf_entry(entry) for entry in records(packet.get("prv_candidates"))],
        "fp_hists": [_ztf_entry(entry) for entry in records(packet.get("fp_hists"))],
    }


def _ztf_of_lists(subject: Subject, lists: Row) -> Record | None:
    entries = [_ztf_entry(entry) for entry in records(lists.get("candidates"))]
    detections = ((entry["jd"], entry) for entry in entries if entry["candid"])
    mjd = subject.detected_mjd
    new = _newest(detections, None if mjd is None else mjd + MJD_OFFSET_DAYS)
    if new is None:
        return None
    packet = {
        "objectId": subject.object_id,
        "prv_candidates": [entry for entry in entries if entry is not new[1]],
        "fp_hists": lists.get("forcedphot"),
    }
    said = _numbers(_said(subject, ZTF_SAID), ZTF_SAID)
    present = {name: value for name, value in new[1].items() if value is not None}
    return _ztf_record(packet, new[1] | said | present | _place(subject))


def _ztf_entry(entry: Row) -> Record:
    sign = entry.get("isdiffpos")
    return _numbers(entry, ZTF_NUMBERS) | {
        "isdiffpos": "t" if sign is None or str(sign).lower() in _POSITIVE else "f",
        "candid": integer(entry.get("candid")),
        "ssnamenr": entry.get("ssnamenr"),
    }


def _said(subject: Subject, names: Iterable[str]) -> Record:
    """Take columns of a row under the names that the survey gives them."""
    columns = {OTHER_NAMES.get(name, name): value for name, value in subject.columns.items()}
    return {name: columns[name.lower()] for name in names if name.lower() in columns}


def _place(subject: Subject) -> Record:
    place = {"ra": subject.ra, "dec": subject.dec, "decl": subject.dec}
    return {name: angle for name, angle in place.items() if angle is not None}


def _numbers(entry: Row, limits: Limits) -> Record:
    values = {name: number(entry.get(name)) for name in limits}
    return {
        name: value if value is not None and limits[name][0] <= value <= limits[name][1] else None
        for name, value in values.items()
    }


def _newest(
    entries: Iterable[tuple[float | None, Record]], until: float | None
) -> tuple[float, Record] | None:
    """Find the newest entry up to a time; the newest of all where none is as old as that."""
    dated = [(when, entry) for when, entry in entries if when is not None]
    limit = float("inf") if until is None else until + TIME_TOLERANCE_DAYS
    past = [pair for pair in dated if pair[0] <= limit] or dated
    return max(past, key=lambda pair: pair[0], default=None)


def records(values: Any) -> list[Record]:
    """Return the objects in a JSON array; none where it is no array.

    Raises
    ------
    DecodeError
        If they are more than any light curve's points.
    """
    if not isinstance(values, list):
        return []
    if len(values) > MOST_ROWS:
        raise DecodeError(TOO_MANY_ROWS)
    return [value for value in values if isinstance(value, dict)]


def nested(row: Row, key: str) -> Record:
    """Return the object that stands under a key; an empty one where none does."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def first_number(row: Row, *names: str) -> float | None:
    """Return the first of these fields that holds a finite number.

    >>> first_number({"ra": "NaN", "ramean": "150.1"}, "ra", "ramean")
    150.1
    """
    return next((n for name in names if (n := number(row.get(name))) is not None), None)


_WRITERS = {"lsst": _lsst_of_lists, "ztf": _ztf_of_lists}
