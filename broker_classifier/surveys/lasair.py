"""Lasair's filter topics: JSON rows of LSST and ZTF objects; and alert packets written as JSON.

A row holds the columns that the filter's SQL selects. LSST filters may add the light curve
(`alert`, lite or full); where there is none, Lasair's object API has it. The alert that a row
stands for is that of the object's newest detection, and its `Alert` names the survey it is of.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from broker_classifier.errors import MessageError, SchemaError, without_locals
from broker_classifier.light_curve import EMPTY
from broker_classifier.light_curve.photometry import SECONDS_PER_DAY, UNIX_EPOCH_MJD, mjd_from_jd
from broker_classifier.surveys import diasources, lsst, ztf
from broker_classifier.surveys.alert import Alert, Decoder
from broker_classifier.surveys.avro.project_decoded import project_decoded
from broker_classifier.surveys.lasair_fields import MAX_MJD
from broker_classifier.surveys.lasair_packets import (
    Packet,
    Row,
    Subject,
    derived_alert_id,
    first_number,
    nested,
    packet_of_json,
    packet_of_lists,
    records,
    sherlock_class,
)
from broker_classifier.surveys.loose_json import integer, number, parse_json
from broker_classifier.surveys.source.context import Context

ID_COLUMNS = ("diaobjectid", "objectid")
LIGHT_CURVES = ("diaSourcesList", "candidates")


class ObjectApi(Protocol):
    """Where light curves that a row lacks come from."""

    def fetch(self, object_id: str, state: str) -> Row | None:
        """Return what Lasair knows of an object; None if that is nothing.

        Parameters
        ----------
        object_id : str
        state : str
            A time (MJD) that grows with the object: the answer for a later one may be reused.

        Raises
        ------
        LightCurveUnavailableError
            If it cannot be had now.
        """


def decoder(apis: Mapping[str, ObjectApi], passing_arcsec: float = 0.0) -> Decoder:
    """Make the decoder that fetches missing light curves from these; see `decode_batch`."""
    return Decoder(partial(decode_batch, apis=apis, passing_arcsec=passing_arcsec))


def decode_batch(
    messages: Sequence[bytes],
    apis: Mapping[str, ObjectApi] | None = None,
    passing_arcsec: float = 0.0,
) -> list[Alert | MessageError]:
    """Decode many rows; one that cannot be is the error that says why, in its place.

    Parameters
    ----------
    messages : sequence of bytes
    apis : mapping of str to ObjectApi, optional
        The object API of each survey's Lasair. A row without light curve, of a survey that has no
        API here, is declined as "no_light_curve".
    passing_arcsec : float
        See `ztf.alerts`.
    """
    # The last row first: what is fetched for it completes the earlier rows of its object.
    read = [_read(message, apis or {}) for message in reversed(messages)][::-1]
    packets = [packet for packet in read if isinstance(packet, Packet)]
    of_ztf, of_lsst = (
        [packet.record for packet in packets if packet.survey == survey]
        for survey in ("ztf", "lsst")
    )
    alerts = {
        "ztf": iter(ztf.alerts(project_decoded(of_ztf, ztf.LAYOUT), passing_arcsec)),
        "lsst": iter(diasources.alerts(project_decoded(of_lsst, lsst.LAYOUT), lsst.NAMES)),
    }
    return [
        _with_sherlock(next(alerts[part.survey]), part) if isinstance(part, Packet) else part
        for part in read
    ]


def _with_sherlock(alert: Alert | MessageError, packet: Packet) -> Alert | MessageError:
    """Add Sherlock's class to what the packet says."""
    if isinstance(alert, MessageError) or packet.sherlock_class is None:
        return alert
    context = alert.context._replace(sherlock_class=packet.sherlock_class)
    return alert._replace(context=context)


def _read(message: bytes, apis: Mapping[str, ObjectApi]) -> Packet | Alert | MessageError:
    try:
        row = parse_json(message)
        if not isinstance(row, dict):
            return SchemaError(f"the message is a JSON {type(row).__name__}; a row is an object")
        return packet_of_json(row) or _read_row(row, apis)
    except MessageError as error:
        return without_locals(error)


def _read_row(row: Row, apis: Mapping[str, ObjectApi]) -> Packet | Alert:
    subject = _subject(row)
    lists = _lists(row) or _fetched(subject, apis.get(subject.survey))
    return packet_of_lists(subject, lists) or _without_light_curve(subject)


def _subject(row: Row) -> Subject:
    columns = _lower_case(row)
    about = _lower_case(nested(nested(row, "alert"), "diaObject") or nested(row, "diaObject"))
    survey, object_id = _identity(columns, about, *records(_lists(row).get("diaSourcesList")))
    detected_mjd = number(columns.get("lastdiasourcemjdtai"))
    if jd := number(columns.get("jdmax")):
        detected_mjd = mjd_from_jd(jd)
    return Subject(
        survey,
        object_id,
        ra=first_number(about | columns, "ra", "ramean"),
        dec=first_number(about | columns, "decl", "dec", "decmean"),
        detected_mjd=detected_mjd,
        written_mjd=_mjd_of_utc(columns.get("utc")),
        columns=columns,
    )


def _identity(*parts: Row) -> tuple[str, str]:
    for part in parts:
        for column in ID_COLUMNS:
            value = _lower_case(part).get(column)
            dia_object_id = integer(value)
            if dia_object_id:
                return "lsst", str(dia_object_id)
            if isinstance(value, str) and value.startswith("ZTF") and value.isascii():
                return "ztf", value
    msg = "the row has no usable `diaObjectId` or `objectId`; add it to the filter's SELECT"
    raise SchemaError(msg)


def _lists(row: Row) -> Row:
    """Return the part of a row that holds a light curve with detections; empty where none does."""
    parts = nested(row, "alert"), row
    return next((part for part in parts if any(records(part.get(key)) for key in LIGHT_CURVES)), {})


def _fetched(subject: Subject, api: ObjectApi | None) -> Row:
    answer = api.fetch(subject.object_id, _state(subject)) if api else None
    return _lists(answer or {})


def _without_light_curve(subject: Subject) -> Alert:
    mjd = subject.mjd
    if mjd is None or not 0.0 < mjd < MAX_MJD:
        msg = "the row has neither a light curve nor `UTC`; nothing says when the object was seen"
        raise SchemaError(msg)
    return Alert(
        survey=subject.survey,
        object_id=subject.object_id,
        # Not the detection's own id: that stays free for when its light curve is to be had.
        alert_id=derived_alert_id(subject.object_id, f"row {_state(subject)}"),
        mjd=mjd,
        curve=EMPTY,
        ra=subject.ra,
        dec=subject.dec,
        decline="no_light_curve",
        context=Context(sherlock_class=sherlock_class(subject.columns)),
    )


def _state(subject: Subject) -> str:
    return str(subject.detected_mjd or subject.written_mjd or "")


def _lower_case(row: Row) -> dict[str, Any]:
    return {name.lower(): value for name, value in row.items()}


def _mjd_of_utc(text: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
    return moment.timestamp() / SECONDS_PER_DAY + UNIX_EPOCH_MJD
