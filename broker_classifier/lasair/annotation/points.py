"""What an annotation says of the points behind an answer: how many, which bands, since when."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from broker_classifier.streams.classification import ClassificationMessage, PointMessage

SHORTEST_FADE_DAYS = 0.5
BANDS: tuple[str, ...] = get_args(PointMessage.model_fields["band"].annotation)  # blue first


@dataclass(frozen=True)
class Points:
    """Facts of the detections that the classifier used.

    Attributes
    ----------
    n : int
    bands : str
        Letters of the bands with such a detection, blue first.
    days : float or None
        From the first detection to the alert; None where there is none.
    fade : float or None
        Decline since the brightest point, magnitudes a day, of the band that fades fastest.
        Negative where it brightens; None where no band has two points half a day apart.
    """

    n: int
    bands: str
    days: float | None
    fade: float | None


def points_of(answer: ClassificationMessage) -> Points:
    """Look through the light curve of an answer."""
    detections = [
        point
        for point in answer.light_curve
        if point.kind == "detection" and point.rejected is None and point.mjd <= answer.mjd
    ]
    first = min((point.mjd for point in detections), default=None)
    in_bands = {band: [p for p in detections if p.band == band] for band in BANDS}
    fades = [fade for points in in_bands.values() if (fade := _fade(points)) is not None]
    return Points(
        n=answer.n_points_used,
        bands="".join(band for band, points in in_bands.items() if points),
        days=None if first is None else answer.mjd - first,
        fade=max(fades, default=None),
    )


def _fade(points: Sequence[PointMessage]) -> float | None:
    fluxes = [(p.mjd, p.psf_flux) for p in points if p.psf_flux is not None and p.psf_flux > 0]
    if not fluxes:
        return None
    last_mjd, last_flux = max(fluxes)
    before = [(mjd, flux) for mjd, flux in fluxes if last_mjd - mjd >= SHORTEST_FADE_DAYS]
    if not before:
        return None
    mjd, flux = max(before, key=lambda point: point[1])
    return 2.5 * (math.log10(flux) - math.log10(last_flux)) / (last_mjd - mjd)
