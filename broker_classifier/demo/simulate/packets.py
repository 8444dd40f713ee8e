"""Alert packets in ZTF's layout (schema 4.02): one Avro object container per alert.

The writer's schema names the fields that a light-curve broker can use and leaves out the image
cutouts and the cross-matches; readers that go by the writer's schema read it like a real one.
"""

import io
from typing import Any

import fastavro
import numpy as np

from broker_classifier.demo.simulate.survey import REAL_SCATTER, Photometry
from broker_classifier.light_curve.photometry import (
    AB_ZERO_POINT_NJY,
    MAG_ERR_TO_RELATIVE_FLUX_ERR,
    MJD_OFFSET_DAYS,
    magnitude_from_flux,
)

HISTORY_DAYS = 30.0
FID = {"g": 1, "r": 2}
_ZERO_POINT = 26.2  # mag, of the forced photometry's counts
_ALERT_EPOCH_JD = 2457754.5  # 2017-01-01: candids count from there
_PUBLIC = 1
_VERSION = "4.02"
_PUBLISHER = "broker-classifier simulation"


def _optional(kind: str) -> list[str]:
    return ["null", kind]


def _record(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    listed = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "namespace": "ztf.alert", "fields": listed}


_EXPOSURE = {
    "jd": "double",
    "fid": "int",
    "pid": "long",
    "diffmaglim": _optional("float"),
    "programid": "int",
}
_CANDIDATE = _record(
    "candidate",
    {
        **_EXPOSURE,
        "candid": "long",
        "isdiffpos": "string",
        "field": _optional("int"),
        "rcid": _optional("int"),
        "ra": "double",
        "dec": "double",
        "magpsf": "float",
        "sigmapsf": "float",
        "rb": _optional("float"),
        "drb": _optional("float"),
        "ndethist": "int",
        "ncovhist": "int",
        "jdstarthist": _optional("double"),
        "jdendhist": _optional("double"),
        "ssdistnr": _optional("float"),
        "ssnamenr": _optional("string"),
    },
)
_PRV_CANDIDATE = _record(
    "prv_candidate",
    {
        **_EXPOSURE,
        "candid": _optional("long"),
        "isdiffpos": _optional("string"),
        "ra": _optional("double"),
        "dec": _optional("double"),
        "magpsf": _optional("float"),
        "sigmapsf": _optional("float"),
    },
)
_FP_HIST = _record(
    "fp_hist",
    {
        **_EXPOSURE,
        "magzpsci": _optional("float"),
        "forcediffimflux": _optional("float"),
        "forcediffimfluxunc": _optional("float"),
        "procstatus": _optional("string"),
    },
)
SCHEMA = fastavro.parse_schema(
    _record(
        "alert",
        {
            "schemavsn": "string",
            "publisher": "string",
            "objectId": "string",
            "candid": "long",
            "candidate": _CANDIDATE,
            "prv_candidates": ["null", {"type": "array", "items": _PRV_CANDIDATE}],
            "fp_hists": ["null", {"type": "array", "items": _FP_HIST}],
        },
    )
)


def alert_id(photometry: Photometry, i: int, object_number: int) -> int:
    """Give an alert's `candid`; like ZTF's, it begins with the time and ends with the place."""
    days = photometry.exposures.mjd[i] + MJD_OFFSET_DAYS - _ALERT_EPOCH_JD
    return int(days * 1e5) * 10**10 + object_number


def packet(
    object_id: str,
    object_number: int,
    position: tuple[float, float],
    photometry: Photometry,
    i: int,
    asteroid: str | None = None,
) -> bytes:
    """Encode the alert of exposure `i`, with 30 days of history.

    Parameters
    ----------
    position : (float, float)
        Right ascension and declination, degrees.
    asteroid : str, optional
        Name of a known asteroid that is there.
    """
    mjd = photometry.exposures.mjd
    history = np.flatnonzero((mjd < mjd[i]) & (mjd > mjd[i] - HISTORY_DAYS)).tolist()
    past = [_prv_candidate(object_number, position, photometry, j) for j in history]
    record = {
        "schemavsn": _VERSION,
        "publisher": _PUBLISHER,
        "objectId": object_id,
        "candid": alert_id(photometry, i, object_number),
        "candidate": {
            **_candidate(object_number, position, photometry, i),
            "ssdistnr": None if asteroid is None else 0.4,
            "ssnamenr": asteroid,
        },
        "prv_candidates": past or None,
        "fp_hists": [_fp_hist(photometry, j) for j in history] or None,
    }
    stream = io.BytesIO()
    fastavro.writer(stream, SCHEMA, [record], sync_marker=bytes(16))
    return stream.getvalue()


def _candidate(
    object_number: int, position: tuple[float, float], photometry: Photometry, i: int
) -> dict[str, Any]:
    detected = np.flatnonzero(photometry.is_detected[: i + 1])
    jd = photometry.exposures.mjd + MJD_OFFSET_DAYS
    return {
        **_prv_candidate(object_number, position, photometry, i),
        "field": object_number % 1000,
        "rcid": object_number % 64,
        "rb": 0.9,
        "drb": 0.99,
        "ndethist": len(detected),
        "ncovhist": i + 1,
        "jdstarthist": float(jd[detected[0]]),
        "jdendhist": float(jd[i]),
    }


def _prv_candidate(
    object_number: int, position: tuple[float, float], photometry: Photometry, i: int
) -> dict[str, Any]:
    exposure = _exposure(photometry, i)
    if not photometry.is_detected[i]:
        measured = ("candid", "isdiffpos", "ra", "dec", "magpsf", "sigmapsf")
        return exposure | dict.fromkeys(measured)
    flux, flux_err = float(photometry.flux[i]), float(photometry.flux_err[i])
    return exposure | {
        "candid": alert_id(photometry, i, object_number),
        "isdiffpos": "t" if flux > 0 else "f",
        "ra": position[0],
        "dec": position[1],
        "magpsf": magnitude_from_flux(abs(flux)),
        "sigmapsf": flux_err / abs(flux) / MAG_ERR_TO_RELATIVE_FLUX_ERR,
    }


def _fp_hist(photometry: Photometry, i: int) -> dict[str, Any]:
    counts = 10 ** (0.4 * (_ZERO_POINT - AB_ZERO_POINT_NJY))
    return _exposure(photometry, i) | {
        "magzpsci": _ZERO_POINT,
        "forcediffimflux": float(photometry.flux[i]) * counts,
        "forcediffimfluxunc": float(photometry.flux_err[i]) * REAL_SCATTER * counts,
        "procstatus": "0",
    }


def _exposure(photometry: Photometry, i: int) -> dict[str, Any]:
    exposures = photometry.exposures
    jd = float(exposures.mjd[i]) + MJD_OFFSET_DAYS
    return {
        "jd": jd,
        "fid": FID[str(exposures.band[i])],
        "pid": int((jd - _ALERT_EPOCH_JD) * 1e5) * 10000 + 15,
        "diffmaglim": float(exposures.limit_mag[i]),
        "programid": _PUBLIC,
    }
