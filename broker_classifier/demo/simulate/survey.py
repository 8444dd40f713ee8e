"""How ZTF's public survey sees an object: when, how deep, and with what noise.

The numbers describe the real alerts of 2018 to 2021: medians over 220,000 detections and 200,000
upper limits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import LIMIT_SIGMAS
from broker_classifier.light_curve.photometry import flux_from_magnitude

REAL_SCATTER = 0.55  # of the quoted error: alert errors are about twice the real scatter
_NIGHTS_BETWEEN_VISITS = (2, 3)
_EXPOSURE_SUCCESS = 0.9
_CLOUDS_COME, _CLOUDS_GO = 0.1, 0.4  # per night: a quarter of the nights lost, in runs
_TYPICAL_LIMIT_MAG = {"g": 20.6, "r": 20.5}
_MOON_MAG = {"g": 0.7, "r": 0.4}  # lost at full Moon
_SEEING_MAG = 0.25  # mean loss to seeing and haze, exponential
_LUNATION_DAYS = 29.53
_PALOMAR_DUSK_MJD = 0.13  # fraction of the UT day
_DETECTED_ERR_NJY = 2650.0  # error² = this² + (750 nJy) flux + (0.021 flux)²
_ERR_PER_FLUX_NJY = 750.0
_RELATIVE_ERR = 0.021
_ERR_SPREAD = 0.2  # standard deviation of ln(error) at one flux


@dataclass(frozen=True)
class Exposures:
    """Visits of one field, ascending in time.

    Attributes
    ----------
    mjd : array, shape (n,)
        Start of exposure, days.
    band : array of str, shape (n,)
        "g" or "r".
    limit_mag : array, shape (n,)
        Five-sigma limit of the difference image, AB.
    """

    mjd: NDArray[np.float64]
    band: NDArray[np.str_]
    limit_mag: NDArray[np.float64]


@dataclass(frozen=True)
class Photometry:
    """What the pipeline measures of one object on its field's exposures.

    Attributes
    ----------
    exposures : Exposures
    flux, flux_err : array, shape (n,)
        Difference flux and its quoted error, nJy.
    is_detected : array of bool, shape (n,)
        Whether an alert goes out: above the image's limit and at least 5 sigma, of either sign.
    """

    exposures: Exposures
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    is_detected: NDArray[np.bool_]


def clear_nights(n_nights: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw the weather: clear and cloudy runs of nights, the same for every field."""
    clear = np.empty(n_nights, dtype=bool)
    is_clear = True
    for night, chance in enumerate(rng.random(n_nights)):
        is_clear = chance > _CLOUDS_COME if is_clear else chance < _CLOUDS_GO
        clear[night] = is_clear
    return clear


def observe_field(
    first_mjd: float, is_clear: NDArray[np.bool_], rng: np.random.Generator
) -> Exposures:
    """Visit one field every 2 or 3 nights, weather permitting, in g and r within two hours."""
    night, planned = int(rng.integers(3)), []
    while night < len(is_clear):
        if is_clear[night]:
            planned += _visits(first_mjd + night, rng)
        night += int(rng.choice(_NIGHTS_BETWEEN_VISITS))
    mjd = np.array([mjd for mjd, _ in planned])
    band = np.array([band for _, band in planned], dtype=np.str_)
    return Exposures(mjd, band, _limits(mjd, band, rng))


def measure(
    flux: NDArray[np.float64], exposures: Exposures, rng: np.random.Generator
) -> Photometry:
    """Add noise to true fluxes (nJy), quote errors, and say which exposures detect the object."""
    limit = np.array([flux_from_magnitude(m) for m in exposures.limit_mag])
    err = quoted_err(flux, limit) * np.exp(rng.normal(0.0, _ERR_SPREAD, len(flux)))
    measured = flux + rng.normal(0.0, REAL_SCATTER, len(flux)) * err
    is_detected = (np.abs(measured) >= limit) & (np.abs(measured) >= LIMIT_SIGMAS * err)
    return Photometry(exposures, measured, err, is_detected)


def quoted_err(flux: NDArray[np.float64], limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the median quoted error at a flux, for a five-sigma limit of the image (all nJy).

    >>> quoted_err(np.array([1e5]), np.array([flux_from_magnitude(20.5)])).round(-2)
    array([9300.])
    """
    typical = flux_from_magnitude(_TYPICAL_LIMIT_MAG["r"])
    size = np.abs(flux)
    variance = _DETECTED_ERR_NJY**2 + _ERR_PER_FLUX_NJY * size + (_RELATIVE_ERR * size) ** 2
    return np.asarray(np.sqrt(variance * limit / typical))


def _visits(night_mjd: float, rng: np.random.Generator) -> list[tuple[float, str]]:
    start = night_mjd + _PALOMAR_DUSK_MJD + 0.25 * rng.random()
    times = (start, start + rng.uniform(0.02, 0.08))
    pairs = zip(times, rng.permutation(["g", "r"]), strict=True)
    return [(mjd, str(band)) for mjd, band in pairs if rng.random() < _EXPOSURE_SUCCESS]


def _limits(
    mjd: NDArray[np.float64], band: NDArray[np.str_], rng: np.random.Generator
) -> NDArray[np.float64]:
    is_g = band == "g"
    dark = np.where(is_g, _TYPICAL_LIMIT_MAG["g"], _TYPICAL_LIMIT_MAG["r"])
    moonlight = 0.5 * (1 - np.cos(2 * np.pi * mjd / _LUNATION_DAYS))
    moon = np.where(is_g, _MOON_MAG["g"], _MOON_MAG["r"]) * moonlight**2
    return np.asarray(dark - moon - rng.exponential(_SEEING_MAG, len(mjd)))
