"""A survey's visits in a few numbers: when it comes back, in which bands, and how deep it sees.

Light curves of another survey are observed again at such visits. Then neither cadence nor errors
tell where an object comes from.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch.special import ndtr, ndtri

from broker_classifier.light_curve import BANDS, LightCurve, band_indices, curve_from_arrays
from broker_classifier.light_curve.selection import NIGHT_OFFSET_DAYS, band_positions
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.alert_noise import RANKS, AlertNoise, error_on_ladder

Floats = NDArray[np.float64]
QUANTILES = np.linspace(0, 1, 21)
SEASON_GAP_NIGHTS = 70
RAREST_SET = 0.001
LONGEST_INTERPOLATION_DAYS = 12.0
NEAR_DAYS = 1.0
PEAK_SNR = 5.0
DILATION_PER_LN = 0.12


class Visits(BaseModel):
    """How a survey visits a place on the sky.

    Attributes
    ----------
    source : str
    gap_nights : tuple of float
        Quantiles 0, 0.05, ..., 1 of the nights from one visit to the next within a season.
    band_sets : dict of str to float
        How often a night has these bands, such as "iz".
    bands : tuple of str
    log_err : per band, per rank 0, 0.1, ..., 1
        log10 of the errors (nJy).
    night_correlation : float
        Correlation of the errors' normal scores between the bands of a night.
    log_peak : tuple of float
        Quantiles 0, 0.05, ..., 1 of log10 of the objects' brightest detections (nJy). Brighter
        objects of another survey are dimmed to such a peak. Empty: they stay as bright as they are.
    night_spread_days : float
        The bands of a night follow each other within this time.
    night_offset_days : float
        As in `Selection`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    gap_nights: tuple[float, ...]
    band_sets: dict[str, float]
    bands: tuple[str, ...]
    log_err: tuple[tuple[float, ...], ...]
    night_correlation: float
    log_peak: tuple[float, ...] = ()
    night_spread_days: float = 0.03
    night_offset_days: float = NIGHT_OFFSET_DAYS


class Plan(NamedTuple):
    """Visits to come: times (MJD), bands (indices into `BANDS`) and errors (nJy), shape (n,)."""

    mjd: Floats
    band: NDArray[np.int64]
    flux_err: Floats


def fit_visits(
    objects: Sequence[LabelledObject], band_letters: Sequence[str], night_offset_days: float
) -> Visits:
    """Describe the visits that objects of one source have had, in the bands that it has."""
    nights = [np.floor(o.mjd + night_offset_days).astype(np.int64) for o in objects]
    gaps = np.concatenate([np.diff(np.unique(night)) for night in nights])
    sets = Counter(
        "".join(sorted(BANDS[b] for b in set(o.band[nights_of_points == night].tolist())))
        for o, nights_of_points in zip(objects, nights, strict=True)
        for night in np.unique(nights_of_points)
    )
    n_nights = sum(sets.values())
    err = np.concatenate([o.flux_err for o in objects])
    band = np.concatenate([o.band for o in objects])
    letters = tuple(b for b in band_letters if (band == BANDS.index(b)).any())
    ladders = [np.quantile(np.log10(err[band == b]), RANKS) for b in band_indices(letters)]
    return Visits(
        gap_nights=tuple(np.quantile(gaps[gaps <= SEASON_GAP_NIGHTS], QUANTILES).tolist()),
        band_sets={
            name: round(n / n_nights, 4)
            for name, n in sets.most_common()
            if n >= RAREST_SET * n_nights and set(name) <= set(letters)
        },
        source=objects[0].source,
        bands=letters,
        log_err=tuple(tuple(ladder.round(4).tolist()) for ladder in ladders),
        night_correlation=round(_night_correlation(objects, nights), 3),
        log_peak=_peak_quantiles(objects),
        night_offset_days=night_offset_days,
    )


def _peak_quantiles(objects: Sequence[LabelledObject]) -> tuple[float, ...]:
    peaks = [brightest(o) for o in objects]
    log_peaks = [np.log10(peak) for peak in peaks if peak > 0]
    return tuple(np.quantile(log_peaks, QUANTILES).round(3).tolist()) if log_peaks else ()


def brightest(labelled: LabelledObject) -> float:
    """Find the flux (nJy) of an object's brightest detection; 0 without any."""
    flux = labelled.flux[labelled.flux >= PEAK_SNR * labelled.flux_err]
    return float(flux.max()) if len(flux) else 0.0


def _night_correlation(
    objects: Sequence[LabelledObject], nights: Sequence[NDArray[np.int64]]
) -> float:
    """Correlate the normal scores of the errors of two neighbouring points of one night."""
    owner = np.repeat(np.arange(len(objects)), [len(o.mjd) for o in objects])
    night, band = np.concatenate(list(nights)), np.concatenate([o.band for o in objects])
    err = np.concatenate([o.flux_err for o in objects])
    score = np.empty(len(err))
    for b in np.unique(band):
        in_band = band == b
        rank = err[in_band].argsort().argsort()
        score[in_band] = ndtri(torch.from_numpy((rank + 0.5) / in_band.sum())).numpy()
    is_pair = (owner[1:] == owner[:-1]) & (night[1:] == night[:-1]) & (band[1:] != band[:-1])
    if is_pair.sum() < 3:
        return 0.0
    return float(np.corrcoef(score[1:][is_pair], score[:-1][is_pair])[0, 1])


def plan(visits: Visits, start: float, end: float, random: np.random.Generator) -> Plan:
    """Draw visits of a season from `start` to `end` (MJD, days), in order of time."""
    n_most = int(end - start) + 2
    gaps = np.round(np.interp(random.random(n_most), QUANTILES, visits.gap_nights))
    nights = start - gaps[0] * random.random() + np.cumsum(np.maximum(gaps, 1.0))
    nights = nights[(nights >= start) & (nights <= end)]
    names, shares = list(visits.band_sets), np.array(list(visits.band_sets.values()))
    drawn = random.choice(len(names), len(nights), p=shares / shares.sum())
    letters = [names[i] for i in drawn.tolist()]
    n_bands = [len(of_night) for of_night in letters]
    bands = [band_indices(of_night) for of_night in letters]
    band = np.concatenate([np.empty(0, np.int64), *bands])
    mjd = np.repeat(nights, n_bands) + visits.night_spread_days * random.random(len(band))
    shared = np.repeat(random.normal(size=len(nights)), n_bands)
    common = np.sqrt(max(visits.night_correlation, 0.0))
    score = common * shared + np.sqrt(1 - common**2) * random.normal(size=len(band))
    err = _errors(visits, band.astype(np.int64), ndtr(torch.from_numpy(score)).numpy())
    order = np.argsort(mjd, kind="stable")
    return Plan(mjd[order], band[order].astype(np.int64), err[order])


def _errors(visits: Visits, band: NDArray[np.int64], rank: Floats) -> Floats:
    ladders = np.array(visits.log_err)[band_positions(visits.bands)[band]]
    return error_on_ladder(ladders, rank, RANKS)


def dimmed(labelled: LabelledObject, visits: Visits, random: np.random.Generator) -> LabelledObject:
    """Take an object farther away, where it is as bright as some object of the other survey.

    An object that is fainter already stays as it is. With the distance goes a time dilation: up to
    0.12 in ln(time) for each unit of ln(flux) lost.
    """
    peak = brightest(labelled)
    if peak == 0.0 or not visits.log_peak:
        return labelled
    wanted = 10 ** np.interp(random.random(), QUANTILES, visits.log_peak)
    factor = min(1.0, float(wanted) / peak)
    stretch = np.exp(-DILATION_PER_LN * np.log(factor) * random.random())
    mjd = labelled.mjd[0] + (labelled.mjd - labelled.mjd[0]) * stretch
    flux, flux_err = labelled.flux * factor, labelled.flux_err * factor
    return replace(labelled, mjd=mjd, flux=flux, flux_err=flux_err)


def observed_again(
    labelled: LabelledObject, visits: Visits, noise: AlertNoise, random: np.random.Generator
) -> LabelledObject:
    """Observe a light curve at visits of another survey, `dimmed`, in the bands that it has.

    Between two points of a band that are at most 12 days apart the flux is interpolated. Elsewhere
    it is taken from a point within a day, or the visit saw nothing. Scatter is added where the
    error of the result is below the visit's.
    """
    if not len(labelled.mjd):
        return labelled
    labelled = dimmed(labelled, visits, random)
    drawn = plan(visits, labelled.mjd[0], labelled.mjd[-1], random)
    flux, err = np.full(len(drawn.mjd), np.nan), np.full(len(drawn.mjd), np.nan)
    for b in np.unique(labelled.band):
        point, visit = labelled.band == b, drawn.band == b
        points = labelled.mjd[point], labelled.flux[point], labelled.flux_err[point]
        flux[visit], err[visit] = interpolated(*points, drawn.mjd[visit])
    seen = np.isfinite(flux)
    flux, err, quoted = flux[seen], err[seen], drawn.flux_err[seen]
    missing = np.sqrt(np.maximum((noise.scatter_fraction * quoted) ** 2 - err**2, 0.0))
    flux = flux + missing * random.normal(size=len(flux))
    mjd, band = drawn.mjd[seen], drawn.band[seen]
    return replace(labelled, mjd=mjd, flux=flux, flux_err=quoted, band=band)


def interpolated(
    mjd: Floats, flux: Floats, flux_err: Floats, wanted: Floats
) -> tuple[Floats, Floats]:
    """Interpolate the points of one band; NaN where none is near.

    Returns
    -------
    flux, flux_err : float array, shape (n_wanted,)
        The error is propagated from the two points that were used.
    """
    after = np.clip(np.searchsorted(mjd, wanted), 1, max(len(mjd) - 1, 1))
    before, after = after - 1, np.minimum(after, len(mjd) - 1)
    gap = mjd[after] - mjd[before]
    part = np.clip((wanted - mjd[before]) / np.where(gap > 0, gap, np.inf), 0.0, 1.0)
    distance = np.minimum(np.abs(wanted - mjd[before]), np.abs(wanted - mjd[after]))
    is_wide = gap > LONGEST_INTERPOLATION_DAYS
    part = np.where(is_wide, np.round(part), part)
    value = (1 - part) * flux[before] + part * flux[after]
    err = np.hypot((1 - part) * flux_err[before], part * flux_err[after])
    inside = (wanted >= mjd[before]) & (wanted <= mjd[after]) & ~is_wide
    usable = inside | (distance <= NEAR_DAYS)
    return np.where(usable, value, np.nan), np.where(usable, err, np.nan)


def spread_within_nights(
    curve: LightCurve, visits: Visits, random: np.random.Generator
) -> LightCurve:
    """Move points that share one moment apart, as exposures of one night are."""
    mjd = curve.mjd.copy()
    shares = np.isin(mjd, mjd[1:][np.diff(mjd) == 0.0])
    mjd[shares] += visits.night_spread_days * random.random(int(shares.sum()))
    return curve_from_arrays(mjd, curve.psf_flux, curve.psf_flux_err, curve.band, curve.kind)
