"""What the detections of a light curve say of its source: how often, how negative, how unsteady."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import (
    FLOAT64_ROWS,
    FLOAT64S,
    READONLY_INT64S,
    cached_for,
    compiled,
)
from broker_classifier.light_curve import (
    BAND_MASK,
    KIND_MASK,
    KIND_SHIFT,
    POINTS,
    WITHDRAWN,
    LightCurve,
)

# As in `light_curve.selection`; it stands here, so that another value compiles the loop anew.
NIGHT_OFFSET_DAYS = 0.3
RECENT_DAYS = 30.0  # of which ZTF's packets bring the history
N_BANDS = 8  # that 3 bits can tell apart


_Bands = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


class Histories(NamedTuple):
    """The detections of n light curves up to their alerts; float64 arrays, shape (n,).

    Attributes
    ----------
    first_mjd : of the first detection; NaN without one
    n_detections, n_negative
    negative_flux : mean absolute flux of the negative ones, nJy; NaN without one
    n_sign_changes : the most in any one band, within the last 30 days
    n_nights_of_each_sign : of the last 30 days' nights with a positive detection, and of those
        with a negative one, the fewer; a night counts once for each band
    """

    first_mjd: NDArray[np.float64]
    n_detections: NDArray[np.float64]
    n_negative: NDArray[np.float64]
    negative_flux: NDArray[np.float64]
    n_sign_changes: NDArray[np.float64]
    n_nights_of_each_sign: NDArray[np.float64]


def histories(
    points: NDArray[np.void], starts: NDArray[np.int64], until_mjd: NDArray[np.float64]
) -> Histories:
    """Sum up the detections of n light curves that lie one after another.

    Parameters
    ----------
    points : structured array of dtype `POINT`
        Sorted by time within each light curve.
    starts : int64, shape (n + 1,)
        Where each light curve begins, and where the last ends.
    until_mjd : float64, shape (n,)
        Later detections do not count.
    """
    return Histories(*_histories(points, starts, until_mjd))


def history(curve: LightCurve, until_mjd: float) -> Histories:
    """Sum up the detections of one light curve.

    >>> from broker_classifier.light_curve import light_curve
    >>> curve = light_curve([1.0, 2.0, 3.0, 3.5], [50.0, -20.0, -30.0, 60.0], 5.0, "rrrr")
    >>> past = history(curve, until_mjd=3.0)
    >>> [float(column[0]) for column in past]
    [1.0, 3.0, 2.0, 25.0, 1.0, 1.0]
    """
    return histories(curve.points, np.array([0, len(curve)]), np.array([until_mjd]))


@compiled
def _history(
    points: NDArray[np.void], until_mjd: float, row: NDArray[np.float64], bands: _Bands
) -> None:
    """Fill `row` with the columns of one light curve's `Histories`."""
    last_mjd, last_sign, last_night, n_changes = bands
    last_mjd[:], last_night[:], n_changes[:] = -np.inf, -np.inf, 0.0
    n_nights = np.zeros(2)
    row[:], row[0] = 0.0, np.nan
    for i in range(len(points)):
        mjd, flux, flags = points[i].mjd, np.float64(points[i].psf_flux), points[i].flags
        band = flags & BAND_MASK
        if mjd > until_mjd:
            break
        is_detection = flags >> KIND_SHIFT & KIND_MASK == 0 and not flags & WITHDRAWN
        if not is_detection or np.isnan(flux) or mjd == last_mjd[band]:
            continue
        sign = int(flux < 0.0)
        row[0] = mjd if row[1] == 0.0 else row[0]
        row[1], row[2], row[3] = row[1] + 1.0, row[2] + sign, row[3] - flux * sign
        if mjd >= until_mjd - RECENT_DAYS:
            is_change = last_mjd[band] >= until_mjd - RECENT_DAYS and sign != last_sign[band]
            n_changes[band] += is_change
            night = np.floor(mjd + NIGHT_OFFSET_DAYS)
            n_nights[sign] += night != last_night[sign, band]
            last_night[sign, band] = night
        last_mjd[band], last_sign[band] = mjd, sign
    row[3] = row[3] / row[2] if row[2] > 0.0 else np.nan
    row[4], row[5] = n_changes.max(), n_nights.min()


@cached_for(FLOAT64_ROWS(POINTS, READONLY_INT64S, FLOAT64S))
def _histories(
    points: NDArray[np.void], starts: NDArray[np.int64], until_mjd: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows = np.empty((len(until_mjd), 6))
    bands = np.empty(N_BANDS), np.empty(N_BANDS), np.empty((2, N_BANDS)), np.empty(N_BANDS)
    for c in range(len(rows)):
        _history(points[starts[c] : starts[c + 1]], until_mjd[c], rows[c], bands)
    return rows.T.copy()
