"""Fitting `AlertNoise` to training objects; never to validation or test objects."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import LightCurve, bands
from broker_classifier.training.alert_noise import RANKS, AlertNoise
from broker_classifier.training.homogenise import Homogenisation, homogenised
from broker_classifier.training.objects import LabelledObject

Floats = NDArray[np.float64]
LOG_FLUX = tuple(np.linspace(3.6, 6.8, 17).round(2).tolist())
MIN_POINTS = 100
THRESHOLDS_SNR = np.arange(3.0, 6.01, 0.1)
WIDTHS = np.arange(0.05, 0.41, 0.025)
SNR_EDGES = np.exp(np.arange(np.log(2.0), np.log(16.0), 0.1))
NO_THRESHOLD = 1e-3


def fit_homogenisation(
    objects: Sequence[LabelledObject],
    alert_sources: Sequence[str],
    band_letters: Sequence[str],
    threshold_class: str,
    **visits: Any,
) -> Homogenisation:
    """Fit errors to all alerts, thresholds to one class that has alerts and forced photometry.

    `visits` are fields of `Homogenisation` that are not fitted: `cadence_nights`, `joint_visits`.

    Raises
    ------
    DataError
        No object comes from one of the alert sources.
    """
    alerts = [o for o in objects if o.source in alert_sources]
    if not alerts:
        msg = f"No training object is from {', '.join(alert_sources)}: correct alert_sources"
        raise DataError(msg)
    n_bands = len(band_letters)
    noise = AlertNoise(
        bands=tuple(band_letters),
        log_flux=LOG_FLUX,
        log_err=fit_alert_errors(alerts, band_letters),
        threshold_snr=(NO_THRESHOLD,) * n_bands,
        threshold_width=(1.0,) * n_bands,
    )
    open_rules = Homogenisation(alert_sources=tuple(alert_sources), noise=noise, **visits)
    same_class = [o for o in objects if o.label == threshold_class]
    curves = homogenised(same_class, open_rules)
    is_alert = [o.source in alert_sources for o in same_class]
    fits = [fit_threshold(curves, is_alert, int(band)) for band in bands(band_letters)]
    threshold_snr, threshold_width = zip(*fits, strict=True)
    found = {"threshold_snr": threshold_snr, "threshold_width": threshold_width}
    return open_rules.model_copy(update={"noise": noise.model_copy(update=found)})


def fit_alert_errors(
    alerts: Sequence[LabelledObject], band_letters: Sequence[str]
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Fit `AlertNoise.log_err` to objects made of alerts.

    Each node takes the alerts within 0.1 dex in flux, or within more until there are 100.
    """
    flux = np.concatenate([a.flux for a in alerts])
    err = np.concatenate([a.flux_err for a in alerts])
    band = np.concatenate([a.band for a in alerts])
    tables = []
    for index in bands(band_letters):
        mine = (band == index) & (flux > 0)
        log_flux, log_err = np.log10(flux[mine]), np.log10(err[mine])
        tables.append(tuple(_quantiles_near(node, log_flux, log_err) for node in LOG_FLUX))
    return tuple(tables)


def fit_threshold(
    curves: Sequence[LightCurve], is_alert: Sequence[bool], band: int
) -> tuple[float, float]:
    """Find the threshold (SNR) and width (ln SNR) that lead from forced photometry to alerts.

    The forced points, homogenised but for the threshold, show how many points there are of each
    SNR; times the alert probability they must be distributed as the alerts are, up to SNR 16.
    Maximum likelihood on a grid. Without forced points, 5 with a narrow width.
    """
    alert = _snr_counts([c for c, is_one in zip(curves, is_alert, strict=True) if is_one], band)
    forced = _snr_counts(
        [c for c, is_one in zip(curves, is_alert, strict=True) if not is_one], band
    )
    if forced.sum() < MIN_POINTS or alert.sum() < MIN_POINTS:
        return 5.0, float(WIDTHS[0])
    centre = (np.log(SNR_EDGES[1:]) + np.log(SNR_EDGES[:-1])) / 2
    smooth = np.maximum(np.polyval(np.polyfit(centre, forced, 2), centre), 1e-3)
    grid = [(t, w) for t in THRESHOLDS_SNR.tolist() for w in WIDTHS.tolist()]
    likelihood = []
    for threshold, width in grid:
        expected = smooth / (1 + np.exp(-(centre - np.log(threshold)) / width))
        likelihood.append(float((alert * np.log(expected / expected.sum())).sum()))
    threshold, width = grid[int(np.argmax(likelihood))]
    return round(threshold, 3), round(width, 3)


def _snr_counts(curves: Sequence[LightCurve], band: int) -> NDArray[np.intp]:
    snr = [(c.psf_flux / c.psf_flux_err)[c.band == band] for c in curves]
    return np.histogram(np.concatenate([*snr, np.empty(0)]), SNR_EDGES)[0]


def _quantiles_near(node: float, log_flux: Floats, log_err: Floats) -> tuple[float, ...]:
    distance = np.abs(log_flux - node)
    n_wanted = min(MIN_POINTS, len(distance)) - 1
    reach = max(0.1, float(np.partition(distance, n_wanted)[n_wanted]))
    found = np.quantile(log_err[distance <= reach], RANKS)
    return tuple(found.round(4).tolist())
