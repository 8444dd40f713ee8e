"""Fitting `AlertNoise` to training objects; never to validation or test objects."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import LightCurve, bands
from broker_classifier.selection import Selection
from broker_classifier.training.alert_noise import RANKS, AlertNoise
from broker_classifier.training.homogenise import Homogenisation, homogenised
from broker_classifier.training.objects import LabelledObject
from broker_classifier.training.recipe_tables import ZTF_LOG_FLUX, HomogenisationRecipe
from broker_classifier.training.visits import Visits, fit_visits

Floats = NDArray[np.float64]
MIN_POINTS = 100
THRESHOLDS_SNR = np.arange(3.0, 6.01, 0.1)
WIDTHS = np.arange(0.05, 0.41, 0.025)
SNR_EDGES = np.exp(np.arange(np.log(2.0), np.log(16.0), 0.1))
NO_THRESHOLD = 1e-3


def fit_homogenisation(
    objects: Sequence[LabelledObject], how: HomogenisationRecipe, selection: Selection
) -> Homogenisation:
    """Fit errors to all alerts; thresholds, unless given, to a class also in forced photometry.

    Raises
    ------
    DataError
        No object comes from one of the alert sources.
    """
    alert_sources, band_letters = how.alert_sources, selection.bands
    alerts = [o for o in objects if o.source in alert_sources]
    if not alerts:
        others = ", ".join(sorted({o.source for o in objects})) or "nowhere"
        msg = (
            f"No training object is from {', '.join(alert_sources)}, but from {others}: correct "
            "homogenisation.alert_sources in the recipe, or source_repo in objects.csv"
        )
        raise DataError(msg)
    n_bands, offset = len(band_letters), selection.night_offset_days
    noise = AlertNoise(
        bands=band_letters,
        log_flux=how.log_flux,
        log_err=fit_alert_errors(alerts, band_letters, how.log_flux),
        threshold_snr=(NO_THRESHOLD,) * n_bands,
        threshold_width=(1.0,) * n_bands,
        scatter_fraction=how.scatter_fraction,
        detection_snr=how.detection_snr,
    )
    open_rules = Homogenisation(
        alert_sources=alert_sources,
        noise=noise,
        night_offset_days=offset,
        cadence_nights=how.cadence_nights,
        joint_visits=how.joint_visits,
        visits=_visits(alerts, how, selection),
    )
    if how.threshold_class is None:
        return open_rules
    same_class = [o for o in objects if o.label == how.threshold_class]
    curves = homogenised(same_class, open_rules)
    is_alert = [o.source in alert_sources for o in same_class]
    fits = [fit_threshold(curves, is_alert, int(band)) for band in bands(band_letters)]
    threshold_snr, threshold_width = zip(*fits, strict=True)
    found = {"threshold_snr": threshold_snr, "threshold_width": threshold_width}
    return open_rules.model_copy(update={"noise": noise.model_copy(update=found)})


def _visits(
    alerts: Sequence[LabelledObject], how: HomogenisationRecipe, selection: Selection
) -> tuple[Visits, ...]:
    found = []
    for source in how.visits_of:
        theirs = [o for o in alerts if o.source == source]
        if not theirs:
            msg = f"No training object of an alert source is from {source}: correct visits_of"
            raise DataError(msg)
        found.append(fit_visits(theirs, selection.bands, selection.night_offset_days))
    return tuple(found)


def fit_alert_errors(
    alerts: Sequence[LabelledObject],
    band_letters: Sequence[str],
    log_flux: Sequence[float] = ZTF_LOG_FLUX,
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Fit `AlertNoise.log_err` to objects made of alerts.

    Each node of `log_flux` takes the alerts within 0.1 dex in flux, or within more until there are
    100.
    """
    flux = np.concatenate([a.flux for a in alerts])
    err = np.concatenate([a.flux_err for a in alerts])
    band = np.concatenate([a.band for a in alerts])
    tables = []
    for index in bands(band_letters):
        mine = (band == index) & (flux > 0)
        ours, log_err = np.log10(flux[mine]), np.log10(err[mine])
        tables.append(tuple(_quantiles_near(node, ours, log_err) for node in log_flux))
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
