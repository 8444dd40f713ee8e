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
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.compiled import (
    FLOAT32_ROWS,
    FLOAT64,
    INT64,
    INT64S,
    NOTHING,
    READONLY_INT64S,
    cached_for,
    compiled,
)
from broker_classifier.light_curve import BAND_MASK, POINTS, CurveBatch
from broker_classifier.light_curve.photometry import NJY_PER_MICROJY
from broker_classifier.light_curve.selection import band_positions

PER_BAND = ("flux", "snr", "gap", "seen", "err", "decline", "rise")
TIMES = ("step", "age", "log_age")

# The channels in blocks of B, one for each of `PER_BAND`, then B - 1 colours, `TIMES`, the band.
_FLUX, _SNR, _GAP, _SEEN, _ERR, _DECLINE, _RISE, _COLOURS = range(len(PER_BAND) + 1)
_N_TIMES = len(TIMES)

# What the points of a band so far leave behind: of the last one its time, ln f, and the channels
# that are carried forward; ln f of the first and of the brightest; whether there is a point.
_LAST_MJD, _LAST_LN, _LAST_FLUX, _LAST_SNR, _LAST_ERR, _FIRST_LN, _BRIGHTEST_LN, _IS_SEEN = range(8)
_N_LEFT = 8


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

    kind: ClassVar[str] = "points"
    has_row_per_point: ClassVar[bool] = True

    def channel_names(self, band_letters: Sequence[str]) -> tuple[str, ...]:
        """Name the channels in their order."""
        return channel_names(band_letters)

    def sizes(self) -> dict[str, int]:
        """Decide no size of the network."""
        return {}

    def build(self, batch: CurveBatch, band_letters: Sequence[str]) -> NDArray[np.float32]:
        """Build the input of n light curves, shape (n, n_points of the longest, n_channels)."""
        rows = channels(batch, band_letters, self)
        padded = np.zeros((len(batch), int(batch.lengths.max()), rows.shape[1]), dtype=np.float32)
        for padded_rows, of_curve in zip(padded, batch.split(rows), strict=True):
            padded_rows[: len(of_curve)] = of_curve
        return padded

    def row_mjd(self, mjd: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the time of each row: the point's."""
        return mjd

    def flux_formula(self) -> str:
        """Say what the channel `flux` is.

        >>> Normalisation().flux_formula()
        'arcsinh(f / 20 µJy) / 2'
        """
        return f"arcsinh(f / {self.flux_scale_njy / NJY_PER_MICROJY:g} µJy) / 2"


def channel_names(band_letters: Sequence[str]) -> tuple[str, ...]:
    """Name the channels in their order.

    >>> channel_names("gr")[12:]
    ('rise_g', 'rise_r', 'colour_g_r', 'step', 'age', 'log_age', 'band_g', 'band_r')
    """
    per_band = [f"{name}_{band}" for name in PER_BAND for band in band_letters]
    colours = [f"colour_{blue}_{red}" for blue, red in pairwise(band_letters)]
    here = [f"band_{band}" for band in band_letters]
    return (*per_band, *colours, *TIMES, *here)


def channels(
    batch: CurveBatch,
    band_letters: Sequence[str],
    normalisation: Normalisation,
    n_done: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Compute the input rows of n light curves, one after another.

    Parameters
    ----------
    batch : CurveBatch
        Used points only, in the bundle's bands.
    band_letters : sequence of str
        The bundle's bands, B of them.
    n_done : int array, shape (n,), optional
        How many first points of each light curve need no row; 0 if not given.

    Returns
    -------
    float32 array, shape (n_used - sum of n_done, n_channels)
    """
    done = np.zeros(len(batch), dtype=np.int64) if n_done is None else n_done
    positions, n_channels = _columns(tuple(band_letters))
    rows = np.zeros((len(batch.points) - int(done.sum()), n_channels), dtype=np.float32)
    _write_rows(
        batch.points,
        batch.starts,
        done,
        positions,
        len(band_letters),
        normalisation.flux_scale_njy,
        normalisation.error_log10_reference,
        normalisation.error_floor,
        normalisation.time_scale_days,
        rows,
    )
    return rows


@lru_cache(maxsize=16)
def _columns(band_letters: tuple[str, ...]) -> tuple[NDArray[np.int64], int]:
    return band_positions(band_letters), len(channel_names(band_letters))


@compiled
def _take_point(
    band: NDArray[np.float64],
    mjd: float,
    flux: float,
    err: float,
    flux_scale: float,
    error_reference: float,
) -> None:
    """Update what the points of a band leave behind, (_N_LEFT,), by one more."""
    ln = np.log(max(flux, err))  # err: ln stays finite for fluxes around 0
    is_first = band[_IS_SEEN] == 0.0
    band[_FIRST_LN] = ln if is_first else band[_FIRST_LN]
    band[_BRIGHTEST_LN] = ln if is_first else max(ln, band[_BRIGHTEST_LN])
    band[_LAST_MJD], band[_LAST_LN], band[_IS_SEEN] = mjd, ln, 1.0
    band[_LAST_FLUX] = np.arcsinh(flux / flux_scale) / 2
    band[_LAST_SNR] = np.arcsinh(flux / err) / 2
    band[_LAST_ERR] = np.log10(err) - error_reference


@compiled
def _write_bands(bands: NDArray[np.float64], mjd: float, row: NDArray[np.float32]) -> None:
    """Write the channels of `PER_BAND` and the colours from what the bands have, (B, _N_LEFT)."""
    n_bands = len(bands)
    for b in range(n_bands):
        band = bands[b]
        if band[_IS_SEEN]:
            row[_FLUX * n_bands + b] = band[_LAST_FLUX]
            row[_SNR * n_bands + b] = band[_LAST_SNR]
            row[_GAP * n_bands + b] = np.log1p(mjd - band[_LAST_MJD])
            row[_SEEN * n_bands + b] = 1.0
            row[_ERR * n_bands + b] = band[_LAST_ERR]
            row[_DECLINE * n_bands + b] = band[_LAST_LN] - band[_BRIGHTEST_LN]
            row[_RISE * n_bands + b] = band[_LAST_LN] - band[_FIRST_LN]
        if b + 1 < n_bands and band[_IS_SEEN] and bands[b + 1, _IS_SEEN]:
            row[_COLOURS * n_bands + b] = band[_LAST_LN] - bands[b + 1, _LAST_LN]


@cached_for(
    NOTHING(
        POINTS,
        READONLY_INT64S,
        READONLY_INT64S,
        INT64S,
        INT64,
        FLOAT64,
        FLOAT64,
        FLOAT64,
        FLOAT64,
        FLOAT32_ROWS,
    )
)
def _write_rows(
    points: NDArray[np.void],
    starts: NDArray[np.int64],
    done: NDArray[np.int64],
    position_of_band: NDArray[np.int64],
    n_bands: int,
    flux_scale: float,
    error_reference: float,
    error_floor: float,
    time_scale: float,
    rows: NDArray[np.float32],
) -> None:
    n_written = 0
    times = _COLOURS * n_bands + n_bands - 1  # the column of the first of `TIMES`
    for c in range(len(starts) - 1):
        bands = np.zeros((n_bands, _N_LEFT))
        first, before = starts[c], 0.0
        for i in range(first, starts[c + 1]):
            mjd, flux = points[i].mjd, np.float64(points[i].psf_flux)
            err = max(np.float64(points[i].psf_flux_err), error_floor * abs(flux))
            b = position_of_band[points[i].flags & BAND_MASK]
            _take_point(bands[b], mjd, flux, err, flux_scale, error_reference)
            age, step = mjd - points[first].mjd, mjd - before if i > first else 0.0
            before = mjd
            if i - first < done[c]:
                continue
            row = rows[n_written]
            _write_bands(bands, mjd, row)
            row[times], row[times + 1], row[times + 2] = (
                np.log1p(step),
                age / time_scale,
                np.log1p(age),
            )
            row[times + _N_TIMES + b] = 1.0
            n_written += 1
