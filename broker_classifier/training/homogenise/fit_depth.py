"""Fitting `Depth`, how deep a stream's visits see, to visits that have forced photometry, too.

An upper limit says how deep a visit was that found nothing. So alerts and limits together are all
visits. Where a visit has forced photometry, too, it shows which sources become alerts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import band_indices
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.alert_noise import (
    FINE_RANKS,
    RANKS,
    Depth,
    alert_probability,
    logistic_step,
)
from broker_classifier.training.homogenise.homogenisation import is_from_alerts

Floats = NDArray[np.float64]
SAME_VISIT_DAYS = 0.003
DAYS_BEFORE = 30.0  # that an alert looks back
MIN_VISITS = 100
OUTERMOST_RANKS = (0.02, 0.98)  # a few limits of every stream are nonsense
THRESHOLDS = np.arange(3.0, 8.01, 0.1)
WIDTHS = np.arange(0.1, 0.61, 0.025)
COMPLETENESS = np.arange(0.9, 1.001, 0.02)
USUAL_STEP = (5.0, 0.3, 1.0)
LEAST_EXCESS = 0.01  # of the flux
MIDDLE = len(FINE_RANKS) // 2
BRIGHT_SNR = (8.0, 20.0)  # nearly all are alerts, and the sky's noise still counts most
SIGMA_PER_MAD = 1.4826


class SameVisits(NamedTuple):
    """Visits of a stream that forced photometry has, too; arrays of shape (n,).

    snr : flux over error of the forced photometry
    is_alert : whether the stream found something
    depth_ratio : depth that the stream gives over the forced error; NaN where it found something
    excess : flux of the alert minus the forced flux, over the forced error; NaN where there is none
    band : indices into `BANDS`
    source : of the forced photometry
    """

    snr: Floats
    is_alert: NDArray[np.bool_]
    depth_ratio: Floats
    excess: Floats
    band: NDArray[np.int64]
    source: NDArray[np.str_]


def same_visits(objects: Sequence[LabelledObject], alert_sources: Sequence[str]) -> SameVisits:
    """Find the visits that alerts and forced photometry of the same objects share."""
    by_object: dict[str, list[LabelledObject]] = {}
    for view in objects:
        by_object.setdefault(view.canonical_id, []).append(view)
    visits = [
        _shared(alerts, forced)
        for views in by_object.values()
        for alerts in views
        if is_from_alerts(alerts, alert_sources) and len(alerts.mjd)
        for forced in views
        if not is_from_alerts(forced, alert_sources)
    ]
    dtypes = (float, bool, float, float, np.int64, str)
    empty = SameVisits(*(np.empty(0, dtype) for dtype in dtypes))
    return SameVisits(*map(np.concatenate, zip(empty, *visits, strict=True)))


def _shared(alerts: LabelledObject, forced: LabelledObject) -> SameVisits:
    depth, flux = np.full((2, len(forced.mjd)), np.nan)
    for band in np.unique(forced.band):
        point, alert = forced.band == band, alerts.band == band
        flux[point] = _of_same_visit(forced.mjd[point], alerts.mjd[alert], alerts.flux[alert])
        limits = alerts.limits.of_band(band)
        depth[point] = _of_same_visit(forced.mjd[point], limits.mjd, limits.depth)
    is_alert = np.isfinite(flux)
    depth[is_alert] = np.nan
    in_time = (forced.mjd >= alerts.mjd[0] - DAYS_BEFORE) & (forced.mjd <= alerts.mjd[-1])
    shared = in_time & (is_alert | np.isfinite(depth))
    snr, ratio, excess = (x / forced.flux_err for x in (forced.flux, depth, flux - forced.flux))
    source = np.full(len(forced.mjd), forced.source)
    return SameVisits(*(x[shared] for x in (snr, is_alert, ratio, excess, forced.band, source)))


def _of_same_visit(mjd: Floats, visit_mjd: Floats, value: Floats) -> Floats:
    """Give the value of the visit (times ascend) at each time; NaN where there is no visit."""
    if not len(visit_mjd):
        return np.full(len(mjd), np.nan)
    after = np.minimum(np.searchsorted(visit_mjd, mjd), len(visit_mjd) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(mjd - visit_mjd[before] < visit_mjd[after] - mjd, before, after)
    return np.where(np.abs(visit_mjd[nearest] - mjd) < SAME_VISIT_DAYS, value[nearest], np.nan)


def fit_depth(
    alerts: Sequence[LabelledObject],
    forced: Sequence[LabelledObject],
    visits: SameVisits,
    band_letters: Sequence[str],
    log_flux: Sequence[float],
    log_err: Sequence[Sequence[Sequence[float]]],
) -> Depth:
    """Fit the depth of a stream to alerts, their limits, and visits with forced photometry.

    With fewer than 100 shared visits in a band, or no limit among them, the step is `USUAL_STEP`.
    With fewer than 100 shared alerts of SNR 8 to 20 the scatter of fluxes stays unknown. Without
    limits the errors of the faintest alerts stand for the depth.

    Parameters
    ----------
    alerts, forced : sequence of LabelledObject
        Of the stream, and of other sources.
    visits : SameVisits
    band_letters : sequence of str
    log_flux, log_err
        As in `AlertNoise`, at `FINE_RANKS`.
    """
    codes = [int(band) for band in band_indices(band_letters)]
    ladders = [_depth_ladder(alerts, b, of[0]) for b, of in zip(codes, log_err, strict=True)]
    steps = [_step(visits, band) for band in codes]
    threshold, width, completeness = zip(*steps, strict=True)
    scatter = [_flux_scatter(visits, band) for band in codes]
    fitted = {
        "threshold_snr": threshold,
        "threshold_width": width,
        "completeness": completeness,
        "log_depth": tuple(ladders),
        "scales": _scales(forced, visits, codes, ladders),
        "flux_scatter": tuple(scatter) if any(scatter) else (),
    }
    without_excess = Depth(**fitted, log_excess=((0.0,) * len(log_flux),) * len(ladders))
    excess = [
        tuple(
            _log_excess(node, errors[MIDDLE], i, without_excess)
            for node, errors in zip(log_flux, of_band, strict=True)
        )
        for i, of_band in enumerate(log_err)
    ]
    return Depth(**fitted, log_excess=tuple(excess))


def _depth_ladder(
    alerts: Sequence[LabelledObject], band: int, of_faintest: Sequence[float]
) -> tuple[float, ...]:
    """Rank the depths of visits before the first detection: of later visits not all are told."""
    pieces = []
    for labelled in alerts:
        if len(labelled.mjd):
            limits, first = labelled.limits.of_band(band), labelled.mjd[0]
            is_before = (limits.mjd < first) & (limits.mjd > first - DAYS_BEFORE)
            pieces.append(limits.depth[is_before])
    depth = np.concatenate([*pieces, np.empty(0)])
    if len(depth) < MIN_VISITS:
        return tuple(np.interp(RANKS, FINE_RANKS, of_faintest).round(4).tolist())
    log_depth = np.quantile(np.log10(depth), np.clip(RANKS, *OUTERMOST_RANKS))
    return tuple(log_depth.round(4).tolist())


def _scales(
    forced: Sequence[LabelledObject],
    visits: SameVisits,
    codes: Sequence[int],
    ladders: Sequence[Sequence[float]],
) -> dict[str, tuple[float, ...]]:
    """Give the depth over the error of each source's forced photometry.

    Limits of the same visits tell it. With fewer than 100 limits the deepest tenth of the source's
    visits is made as deep as the stream's: some sources have dropped what is faint, and that leaves
    the deepest visits alone.
    """
    scales = {}
    for source in sorted({o.source for o in forced}):
        of_source, shared = [o for o in forced if o.source == source], visits.source == source
        err = np.concatenate([o.flux_err for o in of_source])
        band = np.concatenate([o.band for o in of_source])
        scales[source] = tuple(
            _scale(err[band == code], ladder[1], visits.depth_ratio[shared & (visits.band == code)])
            for code, ladder in zip(codes, ladders, strict=True)
        )
    return scales


def _scale(err: Floats, log_depth: float, ratio: Floats) -> float:
    measured = ratio[np.isfinite(ratio)]
    if len(measured) >= MIN_VISITS:
        return round(float(np.median(measured)), 3)
    if len(err) < MIN_VISITS:
        return 1.0
    return round(float(10.0**log_depth / np.quantile(err, RANKS[1])), 3)


def _step(visits: SameVisits, band: int) -> tuple[float, float, float]:
    """Find threshold, width and completeness of `alert_probability`: the likeliest on a grid."""
    in_band = visits.band == band
    ratio = visits.depth_ratio[in_band & np.isfinite(visits.depth_ratio)]
    if in_band.sum() < MIN_VISITS or not len(ratio):
        return USUAL_STEP
    snr, is_alert = visits.snr[in_band], visits.is_alert[in_band]
    likeliest, best = -np.inf, USUAL_STEP
    for threshold in THRESHOLDS.tolist():
        for width in WIDTHS.tolist():
            step = logistic_step(snr, threshold, width)
            for part in COMPLETENESS.tolist():
                p = np.clip(part * step, 1e-3, 1 - 1e-3)
                likelihood = float(np.log(np.where(is_alert, p, 1 - p)).sum())
                if likelihood > likeliest:
                    likeliest, best = likelihood, (threshold, width, part)
    threshold, width, part = best
    return round(threshold / float(np.median(ratio)), 3), round(width, 3), round(part, 2)


def _flux_scatter(visits: SameVisits, band: int) -> float:
    low, high = BRIGHT_SNR
    is_bright = (visits.band == band) & (visits.snr > low) & (visits.snr < high)
    excess = visits.excess[is_bright & visits.is_alert]
    ratio = visits.depth_ratio[(visits.band == band) & np.isfinite(visits.depth_ratio)]
    if len(excess) < MIN_VISITS or not len(ratio):
        return 0.0
    spread = SIGMA_PER_MAD * np.median(np.abs(excess - np.median(excess)))
    return round(float(spread / np.median(ratio)), 3)


def _log_excess(log_flux: float, log_err: float, band: int, depth: Depth) -> float:
    """Give log10 of how much the usual error at a flux exceeds the usual depth of its alerts."""
    flux, ladder = 10.0**log_flux, 10.0 ** np.array(depth.log_depth[band])
    weight = alert_probability(flux / ladder, np.full(len(ladder), band), depth)
    share = (np.cumsum(weight) - weight / 2) / weight.sum()
    square = (10.0**log_err) ** 2 - float(np.interp(0.5, share, ladder)) ** 2
    return round(float(np.log10(np.sqrt(max(square, (LEAST_EXCESS * flux) ** 2)))), 4)
