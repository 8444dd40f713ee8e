"""ZTF alerts (schemas 3.0 to 4.02): object containers of one record, magnitudes, Julian dates.

What a packet's schema lacks is missing, never refused. A packet's history repeats earlier alerts
with magnitudes rounded to 1e-4 and their errors to 1e-6 (far below the errors themselves); the
new detection is rounded alike, so that one exposure is one fact whichever packet it came in.
What is missing is null, or -999, or -99999, or the text "null".
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import MessageError, SchemaError
from broker_classifier.light_curve import BANDS, LIMIT_SIGMAS, Kind, photometry
from broker_classifier.surveys.alert import Alert, Decoder
from broker_classifier.surveys.avro.framing import Containers
from broker_classifier.surveys.avro.layout import (
    Cell,
    Column,
    Layout,
    Projected,
    Table,
    short_text,
)
from broker_classifier.surveys.avro.projection import Projector
from broker_classifier.surveys.batch_curves import NO_BAND, BatchPoints, light_curves
from broker_classifier.surveys.source.context import or_none
from broker_classifier.surveys.source.history import histories
from broker_classifier.surveys.source.ztf_context import SAID, ztf_contexts

BAND_OF_FID = {1: BANDS.index("g"), 2: BANDS.index("r"), 3: BANDS.index("i")}
MISSING, NOT_SAID = -99999.0, -999.0
_DECLINES = np.array(["no_photometry", None], dtype=object)  # without a measurement, and with one
POSITIVE = [short_text(sign) for sign in ("t", "T", "1")]

# Columns of a measurement; forced photometry has counts, their error and their zero point.
JD, FID, MAGPSF, SIGMAPSF, ISDIFFPOS, DIFFMAGLIM, SSDISTNR = range(7)
_MEASUREMENT = (
    Column("jd"),
    Column("fid"),
    Column("magpsf"),
    Column("sigmapsf"),
    Column("isdiffpos", Cell.SHORT, otherwise="t"),
    Column("diffmaglim"),
)
_FORCED = (
    Column("jd"),
    Column("fid"),
    Column("forcediffimflux"),
    Column("forcediffimfluxunc"),
    Column("programid"),
    Column("magzpsci"),
)
CANDIDATE, PREVIOUS, FORCED = range(3)
OBJECT_ID, CANDID, CANDIDATE_CANDID, SSNAMENR, FIRST_SAID = range(5)
LAYOUT = Layout(
    "ztf",
    head=(
        Column("objectId", Cell.TEXT),
        Column("candid", Cell.INTEGER),
        Column("candidate.candid", Cell.INTEGER),
        Column("candidate.ssnamenr", Cell.TEXT),
        *(Column(f"candidate.{name}") for name in SAID),
    ),
    tables=(
        Table("candidate", _MEASUREMENT, is_list=False),
        Table("prv_candidates", (*_MEASUREMENT, Column("ssdistnr"))),
        Table("fp_hists", _FORCED),
    ),
)


def decoder(fallbacks: Counter[str] | None = None, passing_arcsec: float = 0.0) -> Decoder:
    """Make the decoder of ZTF alerts, containers of one record each.

    A head is read up to the end of `candidate`; nothing after it is found to be broken.

    Parameters
    ----------
    fallbacks : Counter, optional
        See `Projector`.
    passing_arcsec : float
        See `alerts`.
    """
    containers, projector = Containers(), Projector(LAYOUT, fallbacks)

    def decode(messages: Sequence[bytes], *, head_only: bool = False) -> list[Alert | MessageError]:
        read = projector.projections(containers.records(messages), head_only=head_only)
        return [alert for projected in read for alert in alerts(projected, passing_arcsec)]

    return Decoder(decode, partial(decode, head_only=True))


def alerts(projected: Projected, passing_arcsec: float = 0.0) -> list[Alert | MessageError]:
    """Make the alert of every record in a batch.

    Points of the history are left out that were so near a known solar-system object: they are of
    that, and not of the object that it passed.
    """
    points = _points(projected)
    points.band[_is_passing(projected, passing_arcsec)] = NO_BAND
    n, (owner, table) = len(projected.head), projected.owner
    new = table == CANDIDATE
    mjd, has_candidate, is_measured = np.full(n, np.nan), np.zeros(n, bool), np.zeros(n, bool)
    mjd[owner[new]], has_candidate[owner[new]] = points.mjd[new], True
    is_measured[owner[new & points.is_usable]] = True
    outer, inner = projected.head[:, CANDID], projected.head[:, CANDIDATE_CANDID]
    candid, object_id = np.where(outer != 0, outer, inner), projected.texts[OBJECT_ID]
    batch, said = light_curves(points, n), dict(zip(SAID, _said(projected), strict=True))
    past = histories(batch.points, batch.starts, mjd)
    results: list[Alert | MessageError] = list(
        map(
            Alert,
            repeat("ztf"),
            object_id,
            candid.tolist(),
            mjd.tolist(),
            batch.curves,
            *or_none([said["ra"], said["dec"]]),
            _DECLINES[is_measured.astype(int)].tolist(),
            ztf_contexts(said, projected.texts[SSNAMENR], past),
        )
    )
    has_object = np.fromiter(map(bool, object_id), dtype=bool, count=n)
    is_whole = has_candidate & has_object & (candid != 0) & np.isfinite(mjd)
    for m in np.flatnonzero(~is_whole).tolist():
        results[m] = _refusal(has_candidate[m], object_id[m], candid[m])
    for m, error in projected.errors.items():
        results[m] = error
    return results


def _refusal(has_candidate: bool, object_id: str, candid: int) -> SchemaError:
    if not has_candidate:
        return SchemaError("the record has no `candidate`; it is no ZTF alert")
    missing = "candidate.jd" if candid else "candid"
    return SchemaError(f"the ZTF record has no usable `{missing if object_id else 'objectId'}`")


def _points(projected: Projected) -> BatchPoints:
    """Convert what the tables hold to nJy and MJD; what is missing stays NaN."""
    owner, table = projected.owner
    is_forced = table == FORCED
    jd, magnitude, magnitude_err, limit = (
        _present(projected.numbers(column)) for column in (JD, MAGPSF, SIGMAPSF, DIFFMAGLIM)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        mjd = _present(photometry.mjd_from_jd(jd))
        is_measured = np.isfinite(magnitude) & np.isfinite(magnitude_err)
        is_limit = (table == PREVIOUS) & ~is_measured
        flux, flux_err = _measured(magnitude, magnitude_err, projected.columns[ISDIFFPOS])
        limit_flux = photometry.flux_from_magnitude(np.round(limit[is_limit], 4))
        flux_err[is_limit] = limit_flux / LIMIT_SIGMAS
        flux[is_limit] = np.nan
        zero_point = limit[is_forced]
        flux[is_forced] = photometry.flux_from_counts(magnitude[is_forced], zero_point)
        flux_err[is_forced] = photometry.flux_from_counts(magnitude_err[is_forced], zero_point)
    kind = np.where(is_forced, Kind.FORCED, np.where(is_limit, Kind.UPPER_LIMIT, Kind.DETECTION))
    band = _band(projected.numbers(FID))
    never = np.zeros(len(owner), dtype=bool)
    return BatchPoints(owner, mjd, flux, flux_err, band, kind.astype(np.uint8), never)


def _is_passing(projected: Projected, passing_arcsec: float) -> NDArray[np.bool_]:
    distance = projected.numbers(SSDISTNR)
    is_near = (distance >= 0.0) & (distance < passing_arcsec)
    return np.asarray(is_near & (projected.owner[1] == PREVIOUS))


def _measured(
    magnitude: NDArray[np.float64], magnitude_err: NDArray[np.float64], sign: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flux = photometry.flux_from_magnitude(np.round(magnitude, 4))
    flux_err = photometry.flux_err_from_magnitude_err(flux, np.round(magnitude_err, 6))
    is_positive = (sign == POSITIVE[0]) | (sign == POSITIVE[1]) | (sign == POSITIVE[2])
    return np.where(is_positive, flux, -flux), flux_err


def _present(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values) & (values != MISSING), values, np.nan)


def _said(projected: Projected) -> NDArray[np.float64]:
    values = np.ascontiguousarray(projected.head[:, FIRST_SAID:].T).view(np.float64)
    return np.where(values == NOT_SAID, np.nan, _present(values))


def _band(fid: NDArray[np.float64]) -> NDArray[np.uint8]:
    band = np.full(len(fid), NO_BAND, dtype=np.uint8)
    for number, index in BAND_OF_FID.items():
        band[fid == number] = index
    return band
