"""Light curve to model input: one row per used point, made of what was known at that moment.

In every band the light curve is carried forward from its last real point, with the gap to it. No
row looks past its own time, and none knows its absolute date.

Channels, with B bands, in this order:

    flux      B  arcsinh(f / flux_scale) / 2, last value of the band
    snr       B  arcsinh(f / err) / 2, last value of the band
    gap       B  ln(1 + days since the last real point of the band)
    seen      B  1 once the band has a point; before, its other channels are 0
    err       B  log10(err) - error_log10_reference, last value of the band
    decline   B  ln f below the band's brightest value so far (<= 0)
    rise      B  ln f above the band's first value
    colour  B-1  ln f(band) - ln f(next band), 0 until both are seen
    step      1  ln(1 + days since the previous used point)
    age       1  days since the first used point / time_scale
    log_age   1  ln(1 + days since the first used point)
    band      B  1 for the band of this point
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.light_curve import LightCurve
from broker_classifier.selection import Selected, band_positions

PER_BAND = ("flux", "snr", "gap", "seen", "err", "decline", "rise")
Floats = NDArray[np.float64]


class Normalisation(BaseModel):
    """Constants of the input, as they stand in `bundle.json`.

    Attributes
    ----------
    flux_scale_njy : float
        Below it the flux channel is linear, above it logarithmic.
    error_log10_reference : float
        log10 of a typical flux error in nJy.
    error_floor : float
        The least error, as a fraction of the flux.
    time_scale_days : float
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    flux_scale_njy: float = Field(20000.0, gt=0)
    error_log10_reference: float = 3.9
    error_floor: float = Field(0.02, ge=0)
    time_scale_days: float = Field(50.0, gt=0)


@dataclass(frozen=True)
class Points:
    """Used points of n light curves, padded at the end to a common length T.

    Attributes
    ----------
    mjd, flux, flux_err : float array, shape (n, T)
        Days, ascending; nJy; nJy.
    band : int array, shape (n, T)
        Positions in the bundle's bands.
    """

    mjd: Floats
    flux: Floats
    flux_err: Floats
    band: NDArray[np.int64]


def model_input(
    curve: LightCurve, selected: Selected, band_letters: Sequence[str], normalisation: Normalisation
) -> NDArray[np.float32]:
    """Build the input rows of one light curve, shape (n_used, n_channels)."""
    points = padded_points([curve], [selected], band_letters)
    rows = channels(points, len(band_letters), normalisation)  # (1, n_used, C)
    return rows.reshape(rows.shape[1:])


def channel_names(band_letters: Sequence[str]) -> tuple[str, ...]:
    """Name the channels in their order.

    >>> channel_names("gr")[12:]
    ('rise_g', 'rise_r', 'colour_g_r', 'step', 'age', 'log_age', 'band_g', 'band_r')
    """
    per_band = [f"{name}_{band}" for name in PER_BAND for band in band_letters]
    colours = [f"colour_{blue}_{red}" for blue, red in pairwise(band_letters)]
    here = [f"band_{band}" for band in band_letters]
    return (*per_band, *colours, "step", "age", "log_age", *here)


def padded_points(
    curves: Sequence[LightCurve], selected: Sequence[Selected], band_letters: Sequence[str]
) -> Points:
    """Gather the used points of light curves; short ones repeat their last point to the end.

    Every one must have at least one used point.
    """
    length = max(len(s.index) for s in selected)
    column = np.arange(length)
    taken = [
        curve.points[s.index[np.minimum(column, len(s.index) - 1)]]
        for curve, s in zip(curves, selected, strict=True)
    ]
    padded = LightCurve(np.stack(taken))  # (n, T)
    return Points(
        padded.mjd,
        padded.psf_flux.astype(np.float64),
        padded.psf_flux_err.astype(np.float64),
        band_positions(band_letters)[padded.band],
    )


def channels(points: Points, n_bands: int, normalisation: Normalisation) -> NDArray[np.float32]:
    """Compute the input rows of padded light curves, shape (n, T, n_channels).

    Rows past the end of a light curve mean nothing; rows before do not depend on them.
    """
    is_here = points.band == np.arange(n_bands)[:, None, None]  # (B, n, T)
    age = points.mjd - points.mjd[:, :1]
    step = np.diff(points.mjd, axis=1, prepend=points.mjd[:, :1])
    per_band, log_flux, seen = _band_channels(points, is_here, normalisation)
    both_seen = seen[:-1] & seen[1:]
    colour = np.where(both_seen, log_flux[:-1] - log_flux[1:], 0.0)  # (B-1, n, T)
    common = np.stack([np.log1p(step), age / normalisation.time_scale_days, np.log1p(age)])
    rows = np.concatenate([per_band, colour, common, is_here])  # (C, n, T)
    return np.ascontiguousarray(rows.transpose(1, 2, 0), dtype=np.float32)


def _band_channels(
    points: Points, is_here: NDArray[np.bool_], normalisation: Normalisation
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Channels of `PER_BAND`, (7 B, n, T), with the carried ln f and "seen", both (B, n, T)."""
    flux = points.flux
    err = np.maximum(points.flux_err, normalisation.error_floor * np.abs(flux))
    log_flux = np.log(np.maximum(flux, err))  # err: ln stays finite for fluxes around 0
    column = np.arange(flux.shape[1])
    last = np.maximum.accumulate(np.where(is_here, column, -1), axis=2)
    seen = last >= 0
    last = np.maximum(last, 0)
    first = np.argmax(is_here, axis=2)[..., None]
    carried = _carry(log_flux, last)
    brightest = np.maximum.accumulate(np.where(is_here, log_flux, -np.inf), axis=2)
    per_band = [
        _carry(np.arcsinh(flux / normalisation.flux_scale_njy) / 2, last),
        _carry(np.arcsinh(flux / err) / 2, last),
        np.log1p(np.maximum(points.mjd - _carry(points.mjd, last), 0.0)),
        np.ones_like(carried),
        _carry(np.log10(err), last) - normalisation.error_log10_reference,
        carried - np.where(seen, brightest, 0.0),
        carried - _carry(log_flux, first),
    ]
    return np.concatenate([np.where(seen, c, 0.0) for c in per_band]), carried, seen


def _carry(values: Floats, last: NDArray[np.intp]) -> Floats:
    """Values (n, T) at the positions (B, n, ...) of the points they are carried from."""
    stacked = np.broadcast_to(values, (len(last), *values.shape))
    return np.take_along_axis(stacked, last, axis=2)
