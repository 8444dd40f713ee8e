"""Variations of a training light curve that could have been observed: the same event elsewhere."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import POINT, LightCurve, band_indices, point_flags
from broker_classifier.light_curve.selection import Selection, band_positions
from broker_classifier.training.homogenise.alert_noise import (
    AlertNoise,
    Positions,
    alert_error,
    alert_error_at,
    alert_probability,
    depth_of_alert,
    error_rank,
    kinds,
)
from broker_classifier.training.homogenise.examples import Example, main_episode
from broker_classifier.training.recipe_tables import Augmentation

Floats = NDArray[np.float64]
HARD_CUT_SNR = 5.0
TRIES = 4  # after which the example is left as it is


def augmented(
    example: Example,
    settings: Augmentation,
    noise: AlertNoise,
    selection: Selection,
    random: np.random.Generator,
) -> LightCurve:
    """Draw one variation of an example; never empty.

    Parameters
    ----------
    example : Example
        Light curves with points in `noise.bands` only.
    """
    event, *later = example.measured or example.curves
    curve = event
    if later and random.random() < 0.5:
        curve = later[random.integers(len(later))]
    for _ in range(TRIES):
        varied = main_episode(_varied(curve, settings, noise, selection, random), selection)
        if len(varied):
            return varied
    return example.curves[0]


def _varied(
    curve: LightCurve,
    settings: Augmentation,
    noise: AlertNoise,
    selection: Selection,
    random: np.random.Generator,
) -> LightCurve:
    at_fewer_visits = partial(_at_fewer_visits, night_offset_days=selection.night_offset_days)
    changes = (_scaled, at_fewer_visits, _without_the_beginning, _without_bands, _thinned, _cut)
    for change in changes:
        changed = change(curve, settings, noise, random)
        curve = changed if len(changed) else curve
    return curve


def _scaled(
    curve: LightCurve, settings: Augmentation, noise: AlertNoise, random: np.random.Generator
) -> LightCurve:
    if random.random() >= settings.scale_probability:
        return curve
    x = random.uniform(settings.ln_dimmest, settings.ln_brightest)
    flux, err = curve.psf_flux.astype(np.float64), curve.psf_flux_err.astype(np.float64)
    position = band_positions(noise.bands)[curve.band]
    scaled, quoted, kept = _at_brightness(flux, err, position, np.exp(x), noise, random)
    ln_stretch = settings.dilation_per_ln * max(-x, 0.0) * random.random()
    stretch = np.exp(ln_stretch + random.normal(0.0, settings.stretch))
    mjd = curve.mjd[0] + (curve.mjd - curve.mjd[0]) * stretch
    points = np.empty(len(curve), dtype=POINT)
    points["mjd"], points["psf_flux"], points["psf_flux_err"] = mjd, scaled, quoted
    points["flags"] = point_flags(curve.band, kinds(scaled, quoted, noise))
    return LightCurve(points[kept])


def _at_brightness(
    flux: Floats,
    err: Floats,
    band: Positions,
    factor: float,
    noise: AlertNoise,
    random: np.random.Generator,
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Give fluxes and errors of a source so many times as bright, and which are still alerts."""
    scaled, deep = flux * factor, noise.depth
    if deep is None:
        quoted = alert_error(scaled, band, error_rank(flux, err, band, noise), noise)
    else:
        depth = depth_of_alert(flux, err, band, noise, deep)
        usual, new = (alert_error_at(f, band, depth, noise, deep) for f in (flux, scaled))
        quoted = err * new / usual
    if factor < 1.0:
        missing = np.sqrt(np.maximum(quoted**2 - (err * factor) ** 2, 0.0))
        scaled = scaled + noise.scatter_fraction * missing * random.normal(size=len(flux))
    if deep is None:
        return scaled, quoted, np.ones(len(flux), dtype=bool)
    before, after = (alert_probability(f / depth, band, deep) for f in (flux, scaled))
    kept = random.random(len(flux)) * before < after
    return np.maximum(scaled, 1.0), quoted, kept


def _at_fewer_visits(
    curve: LightCurve,
    settings: Augmentation,
    _: AlertNoise,
    random: np.random.Generator,
    night_offset_days: float,
) -> LightCurve:
    probability = settings.fewer_visits_probability
    if not probability or random.random() >= probability:
        return curve
    nights = np.floor(curve.mjd + night_offset_days).astype(np.int64)
    gap, kept, due = random.choice(settings.visit_gaps), [], -1
    for night in np.unique(nights).tolist():
        if night >= due:
            kept.append(night)
            due = night + gap
    return LightCurve(curve.points[np.isin(nights, kept)])


def _without_the_beginning(
    curve: LightCurve, settings: Augmentation, _: AlertNoise, random: np.random.Generator
) -> LightCurve:
    if random.random() >= settings.late_start_probability:
        return curve
    return LightCurve(curve.points[random.integers(len(curve)) :])


def _without_bands(
    curve: LightCurve, settings: Augmentation, _: AlertNoise, random: np.random.Generator
) -> LightCurve:
    if not settings.kept_bands or random.random() >= settings.kept_bands_probability:
        return curve
    kept = settings.kept_bands[random.integers(len(settings.kept_bands))]
    return LightCurve(curve.points[np.isin(curve.band, band_indices(kept))])


def _thinned(
    curve: LightCurve, settings: Augmentation, _: AlertNoise, random: np.random.Generator
) -> LightCurve:
    if random.random() >= settings.drop_probability or len(curve) <= 2:
        return curve
    fraction = random.choice(settings.drop_fractions)
    return LightCurve(curve.points[random.random(len(curve)) > fraction])


def _cut(
    curve: LightCurve, settings: Augmentation, _: AlertNoise, random: np.random.Generator
) -> LightCurve:
    if random.random() >= settings.hard_cut_probability:
        return curve
    return LightCurve(curve.points[np.abs(curve.psf_flux) >= HARD_CUT_SNR * curve.psf_flux_err])
