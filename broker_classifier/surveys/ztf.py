"""ZTF alerts (schemas 3.0 to 4.02): object containers of one record, magnitudes, Julian dates.

What a packet's schema lacks is missing, never refused. A packet's history repeats earlier alerts
with magnitudes rounded to 1e-4 and their errors to 1e-6 (far below the errors themselves); the
new detection is rounded alike, so that one exposure is one fact whichever packet it came in.
"""

import math
from collections.abc import Sequence
from typing import Any

from broker_classifier import photometry
from broker_classifier.errors import DecodeError, MessageError, SchemaError
from broker_classifier.light_curve import BANDS, Kind, LightCurve, light_curve
from broker_classifier.surveys.alert import Alert
from broker_classifier.surveys.avro import Record, read_container

BAND_OF_FID = {1: BANDS.index("g"), 2: BANDS.index("r"), 3: BANDS.index("i")}
MISSING = -99999.0
POSITIVE = {"t", "1"}

Point = tuple[float, float, float, int, Kind]


def decode_batch(messages: Sequence[bytes]) -> list[Alert | MessageError]:
    """Decode many ZTF alerts; one that cannot be is the error that says why, in its place."""
    decoded: list[Alert | MessageError] = []
    for message in messages:
        try:
            decoded.append(decode(message))
        except MessageError as error:
            decoded.append(error)
    return decoded


def decode(message: bytes) -> Alert:
    """Decode one ZTF alert.

    Raises
    ------
    DecodeError
        If the bytes are not a container of exactly one record.
    SchemaError
        If the record does not say which object it is, which alert, or when.
    """
    records = read_container(message)
    if len(records) != 1:
        msg = f"the message holds {len(records)} records; a ZTF alert is one"
        raise DecodeError(msg)
    return alert_from_record(records[0])


def alert_from_record(record: Record) -> Alert:
    """Turn a decoded ZTF record into an `Alert`.

    Raises
    ------
    SchemaError
        If `objectId`, `candid` or `candidate.jd` is missing.
    """
    candidate = record.get("candidate")
    if not isinstance(candidate, dict):
        msg = "the record has no `candidate`; it is no ZTF alert"
        raise SchemaError(msg)
    alert_id = record.get("candid") or candidate.get("candid")
    detection = _measured(candidate)
    return Alert(
        survey="ztf",
        object_id=str(_required(record.get("objectId"), "objectId")),
        alert_id=int(_required(alert_id, "candid")),
        mjd=photometry.mjd_from_jd(_required(_number(candidate, "jd"), "candidate.jd")),
        curve=_curve(record, detection),
        ra=_number(candidate, "ra"),
        dec=_number(candidate, "dec"),
        decline=None if detection else "no_photometry",
    )


def _curve(record: Record, detection: Point | None) -> LightCurve:
    points = [detection] if detection else []
    points.extend(filter(None, map(_past, record.get("prv_candidates") or ())))
    points.extend(filter(None, map(_forced, record.get("fp_hists") or ())))
    mjd, flux, flux_err, band, kind = zip(*points, strict=True) if points else ((),) * 5
    return light_curve(mjd, flux, flux_err, band, kind)


def _past(entry: Record) -> Point | None:
    """Read one of `prv_candidates`: a detection, or an upper limit where `magpsf` is null."""
    return _measured(entry) or _upper_limit(entry)


def _measured(entry: Record) -> Point | None:
    mjd, band = _when_and_band(entry)
    magnitude, magnitude_err = _number(entry, "magpsf"), _number(entry, "sigmapsf")
    if mjd is None or band is None or magnitude is None or magnitude_err is None:
        return None
    flux = photometry.flux_from_magnitude(round(magnitude, 4))
    flux_err = photometry.flux_err_from_magnitude_err(flux, round(magnitude_err, 6))
    sign = 1.0 if str(entry.get("isdiffpos", "t")).lower() in POSITIVE else -1.0
    return mjd, sign * flux, flux_err, band, Kind.DETECTION


def _upper_limit(entry: Record) -> Point | None:
    mjd, band = _when_and_band(entry)
    limit = _number(entry, "diffmaglim")
    if mjd is None or band is None or limit is None:
        return None
    flux_err = photometry.flux_from_magnitude(round(limit, 4)) / 5.0
    return mjd, math.nan, flux_err, band, Kind.UPPER_LIMIT


def _forced(entry: Record) -> Point | None:
    """Read one of `fp_hists`: difference counts with their zero point, -99999 where missing."""
    mjd, band = _when_and_band(entry)
    counts, counts_err = _number(entry, "forcediffimflux"), _number(entry, "forcediffimfluxunc")
    zero_point = _number(entry, "magzpsci")
    if mjd is None or band is None or counts is None or counts_err is None or zero_point is None:
        return None
    flux = photometry.flux_from_counts(counts, zero_point)
    flux_err = photometry.flux_from_counts(counts_err, zero_point)
    return mjd, flux, flux_err, band, Kind.FORCED


def _when_and_band(entry: Record) -> tuple[float | None, int | None]:
    jd = _number(entry, "jd")
    mjd = None if jd is None else photometry.mjd_from_jd(jd)
    return mjd, BAND_OF_FID.get(entry.get("fid", 0))


def _number(entry: Record, name: str) -> float | None:
    value = entry.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value) or value == MISSING:
        return None
    return float(value)


def _required(value: Any, name: str) -> Any:
    if value is None or value == "":
        msg = f"the ZTF record has no usable `{name}`"
        raise SchemaError(msg)
    return value
