"""Fitting `AlertNoise` to training objects; never to validation or test objects."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import band_indices
from broker_classifier.light_curve.selection import Selection
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.alert_noise import FINE_RANKS, AlertNoise
from broker_classifier.training.homogenise.cadence import Cadence, fit_cadence
from broker_classifier.training.homogenise.fit_depth import fit_depth, same_visits
from broker_classifier.training.homogenise.homogenisation import Homogenisation, is_from_alerts
from broker_classifier.training.homogenise.lost_signs import without_lost_signs
from broker_classifier.training.homogenise.visits import Visits, fit_visits
from broker_classifier.training.recipe_tables import ZTF_LOG_FLUX, HomogenisationRecipe

Floats = NDArray[np.float64]
MIN_POINTS = 100


def fit_homogenisation(
    objects: Sequence[LabelledObject], how: HomogenisationRecipe, selection: Selection
) -> Homogenisation:
    """Fit the errors to the alerts, and either the cadence or the visits of `visits_of`.

    With a `threshold_class` the depth is fitted to visits that alerts and forced photometry share.

    Raises
    ------
    DataError
        No object comes from one of the alert sources.
    """
    alert_sources, band_letters = how.alert_sources, selection.bands
    offset = selection.night_offset_days
    objects = without_lost_signs(objects, how.unsigned_sources)
    alerts = [o for o in objects if is_from_alerts(o, alert_sources)]
    if not alerts:
        others = ", ".join(sorted({o.source for o in objects})) or "nowhere"
        msg = (
            f"No training object is from {', '.join(alert_sources)}, but from {others}: correct "
            "homogenisation.alert_sources in the recipe, or source_repo in objects.csv"
        )
        raise DataError(msg)
    log_err = fit_alert_errors(alerts, band_letters, how.log_flux)
    depth = None
    if how.threshold_class is not None:
        same_class = [o for o in objects if o.label == how.threshold_class]
        visits = same_visits(same_class, alert_sources)
        forced = [o for o in objects if not is_from_alerts(o, alert_sources)]
        depth = fit_depth(alerts, forced, visits, band_letters, how.log_flux, log_err)
    noise = AlertNoise(
        bands=band_letters,
        log_flux=how.log_flux,
        ranks=FINE_RANKS,
        log_err=log_err,
        scatter_fraction=how.scatter_fraction,
        depth=depth,
        detection_snr=how.detection_snr,
    )
    return Homogenisation(
        alert_sources=alert_sources,
        noise=noise,
        unsigned_sources=how.unsigned_sources,
        night_offset_days=offset,
        cadence=Cadence() if how.visits_of else fit_cadence(alerts, band_letters, offset),
        visits=_visits(alerts, how, selection),
    )


def _visits(
    alerts: Sequence[LabelledObject], how: HomogenisationRecipe, selection: Selection
) -> tuple[Visits, ...]:
    visits = []
    for source in how.visits_of:
        of_source = [o for o in alerts if o.source == source]
        if not of_source:
            msg = f"No training object of an alert source is from {source}: correct visits_of"
            raise DataError(msg)
        visits.append(fit_visits(of_source, selection.bands, selection.night_offset_days))
    return tuple(visits)


def fit_alert_errors(
    alerts: Sequence[LabelledObject],
    band_letters: Sequence[str],
    log_flux: Sequence[float] = ZTF_LOG_FLUX,
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Fit `AlertNoise.log_err`, at `FINE_RANKS`, to objects made of alerts.

    Each node of `log_flux` takes the alerts within 0.1 dex in flux, or the nearest 100.

    Raises
    ------
    DataError
        A band has no alert.
    """
    flux = np.concatenate([a.flux for a in alerts])
    err = np.concatenate([a.flux_err for a in alerts])
    band = np.concatenate([a.band for a in alerts])
    tables = []
    for letter, index in zip(band_letters, band_indices(band_letters), strict=True):
        in_band = (band == index) & (flux > 0)
        if not in_band.any():
            msg = f"No alert of the training objects is in {letter}: take it out of selection.bands"
            raise DataError(msg)
        of_alerts = np.log10(flux[in_band]), np.log10(err[in_band])
        tables.append(tuple(_quantiles_near(node, *of_alerts) for node in log_flux))
    return tuple(tables)


def _quantiles_near(node: float, log_flux: Floats, log_err: Floats) -> tuple[float, ...]:
    distance = np.abs(log_flux - node)
    n_wanted = min(MIN_POINTS, len(distance)) - 1
    reach = max(0.1, float(np.partition(distance, n_wanted)[n_wanted]))
    quantiles = np.quantile(log_err[distance <= reach], FINE_RANKS)
    return tuple(quantiles.round(4).tolist())
