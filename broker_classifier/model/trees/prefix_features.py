"""Light curve so far to the features that boosted trees see: one row for every answer.

A row knows the points before the moment of the answer, and how long ago the last was. NaN says that
a feature is not known yet. Names: of the whole light curve, of each band, of neighbouring bands.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.compiled import cached_with
from broker_classifier.light_curve import BAND_MASK, CurveBatch
from broker_classifier.light_curve.selection import band_positions
from broker_classifier.model.trees import feature_loops
from broker_classifier.model.trees.feature_loops import (
    PER_BAND,
    PER_COLOUR,
    WHOLE,
    read_points,
    write_band,
    write_colour,
    write_whole,
)

N_WHOLE, N_BAND, N_COLOUR = len(WHOLE), len(PER_BAND), len(PER_COLOUR)


class Features(BaseModel):
    """Constants of the features, as they stand in `bundle.json`.

    Attributes
    ----------
    min_relative_error : float
        The least error of a flux, as a fraction of it, in the weights of slopes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_relative_error: float = Field(0.03, gt=0)

    kind: ClassVar[str] = "features"
    has_row_per_point: ClassVar[bool] = False

    def channel_names(self, band_letters: Sequence[str]) -> tuple[str, ...]:
        """Name the features in their order: of all points, of each band, of neighbouring bands.

        >>> names = Features().channel_names("gr")
        >>> names[:4], names[-1], len(names)
        (('n', 'nights', 'age', 'silence'), 'slope_10_g_r', 101)
        """
        of_bands = [f"{name}_{band}" for band in band_letters for name in PER_BAND]
        pairs = list(pairwise(band_letters))
        of_colours = [f"{name}_{blue}_{red}" for blue, red in pairs for name in PER_COLOUR]
        return (*WHOLE, *of_bands, *of_colours)

    def sizes(self) -> dict[str, int]:
        """Decide no size of the network."""
        return {}

    def build(
        self,
        batch: CurveBatch,
        band_letters: Sequence[str],
        silence_days: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float32]:
        """Compute the features at the end of n light curves, shape (n, 1, n_channels).

        Parameters
        ----------
        batch : CurveBatch
            Used points only, in the bundle's bands; no light curve is empty.
        band_letters : sequence of str
            The bundle's bands.
        silence_days : float array, shape (n,), optional
            Time from the last point to the answer; 0 if not given.
        """
        first, stop = batch.starts[:-1], batch.starts[1:]
        asked_mjd = batch.points["mjd"][stop - 1]
        if silence_days is not None:
            asked_mjd = asked_mjd + silence_days
        return prefix_features(batch.points, first, stop, asked_mjd, band_letters, self)[:, None]

    def row_mjd(self, mjd: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the time of the one row: that of the last point."""
        return mjd[-1:]

    def flux_formula(self) -> str:
        """Say what the channels named after fluxes are.

        >>> Features().flux_formula()
        'ln(f / nJy)'
        """
        return "ln(f / nJy)"


def prefix_features(
    points: NDArray[np.void],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    asked_mjd: NDArray[np.float64],
    band_letters: Sequence[str],
    settings: Features,
) -> NDArray[np.float32]:
    """Compute the features of n light curves, each at the moment of its answer.

    Parameters
    ----------
    points : structured array of dtype `POINT`
        Used points only, in the bundle's bands.
    first, stop : int array, shape (n,)
        Light curve i is `points[first[i]:stop[i]]`, one point or more, sorted by time.
    asked_mjd : float array, shape (n,)
        When the answer is wanted, not before the last point.
    band_letters : sequence of str
        The bundle's bands, B of them.
    settings : Features

    Returns
    -------
    float32 array, shape (n, n_features)
    """
    positions, n_features = _columns(tuple(band_letters))
    rows = np.full((len(first), n_features), np.nan, dtype=np.float32)
    least_error = settings.min_relative_error
    _write_rows(points, first, stop, asked_mjd, positions, len(band_letters), least_error, rows)
    return rows


@lru_cache(maxsize=16)
def _columns(band_letters: tuple[str, ...]) -> tuple[NDArray[np.int64], int]:
    return band_positions(band_letters), len(Features().channel_names(band_letters))


@cached_with(__file__, feature_loops.__file__)
def _write_rows(sources: str) -> Callable[..., None]:
    def write_rows(
        points: NDArray[np.void],
        first: NDArray[np.int64],
        stop: NDArray[np.int64],
        asked_mjd: NDArray[np.float64],
        position_of_band: NDArray[np.int64],
        n_bands: int,
        least_error: float,
        rows: NDArray[np.float32],
    ) -> None:
        """Write the rows of n light curves; columns stay NaN where nothing is known."""
        _ = sources
        longest = np.max(stop - first)
        whole = np.empty((3, longest))  # t, y, snr
        of_band = np.empty((n_bands, 4, longest))  # t, y, weight, snr
        count = np.empty(n_bands, dtype=np.int64)
        for c in range(len(first)):
            curve, row = points[first[c] : stop[c]], rows[c]
            read_points(curve, position_of_band, least_error, whole, of_band, count)
            t, y, snr = whole[:, : len(curve)]
            first_band = position_of_band[curve[0].flags & BAND_MASK]
            write_whole(t, y, snr, first_band, asked_mjd[c] - curve[-1].mjd, row)
            at = N_WHOLE
            for b in range(n_bands):
                band_t, band_y, weight, band_snr = of_band[b, :, : count[b]]
                write_band(band_t, band_y, weight, band_snr, t[-1], row[at : at + N_BAND])
                at += N_BAND
            for b in range(n_bands - 1):
                blue_t, blue_y = of_band[b, :2, : count[b]]
                red_t, red_y = of_band[b + 1, :2, : count[b + 1]]
                bands = row[N_WHOLE + b * N_BAND : N_WHOLE + (b + 2) * N_BAND]
                blue, red = bands[:N_BAND], bands[N_BAND:]
                write_colour(blue_t, blue_y, red_t, red_y, blue, red, row[at : at + N_COLOUR])
                at += N_COLOUR

    return write_rows
