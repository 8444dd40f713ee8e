"""From the points of a batch to one light curve for each of its alerts, all views of one array."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import cached, compiled
from broker_classifier.light_curve import (
    EMPTY,
    POINT,
    Kind,
    LightCurve,
    point_flags,
    without_repeats,
)

NO_BAND = 255


@dataclass(frozen=True)
class BatchPoints:
    """Points of many alerts, columns of shape (n,).

    Attributes
    ----------
    owner : int32, ascending
        The alert that each belongs to.
    mjd, psf_flux, psf_flux_err : float64
        Days; nJy; nJy. NaN where missing; in `psf_flux` that is an upper limit's.
    band : uint8
        Indices into `BANDS`; greater ones are no band.
    kind : uint8
    is_withdrawn : bool
    """

    owner: NDArray[np.int32]
    mjd: NDArray[np.float64]
    psf_flux: NDArray[np.float64]
    psf_flux_err: NDArray[np.float64]
    band: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    is_withdrawn: NDArray[np.bool_]

    @cached_property
    def is_usable(self) -> NDArray[np.bool_]:
        """Say which points have a time, a band and numbers that float32 can hold."""
        limit = np.finfo(np.float32).max
        is_flux = np.abs(self.psf_flux) <= limit
        is_flux |= self.kind == Kind.UPPER_LIMIT
        is_placed = np.isfinite(self.mjd) & (self.band != NO_BAND)
        return np.asarray(is_placed & is_flux & (np.abs(self.psf_flux_err) <= limit))


class BatchCurves(NamedTuple):
    """The light curves of a batch of n alerts.

    Attributes
    ----------
    curves : list of LightCurve
    points : structured array of dtype `POINT`
        Their points one after another.
    starts : int64, shape (n + 1,)
        Where in `points` each light curve begins, and where the last ends.
    """

    curves: list[LightCurve]
    points: NDArray[np.void]
    starts: NDArray[np.int64]


def light_curves(points: BatchPoints, n_alerts: int) -> BatchCurves:
    """Sort the points of every alert and drop repeated ones, as `light_curve` does for one."""
    keep = np.flatnonzero(points.is_usable)
    packed = np.empty(len(keep), dtype=POINT)
    flags = point_flags(points.band, points.kind, points.is_withdrawn)
    bounds = np.searchsorted(points.owner[keep], np.arange(n_alerts + 1))
    key = (points.band << np.uint8(2) | points.kind)[keep]
    order, has_repeats = sort_alerts(points.mjd[keep], key, bounds)
    rows = keep[order]
    packed["mjd"], packed["flags"] = points.mjd[rows], flags[rows]
    packed["psf_flux"], packed["psf_flux_err"] = points.psf_flux[rows], points.psf_flux_err[rows]
    if has_repeats:
        packed, bounds = without_repeats(packed, bounds)
    curves = [
        LightCurve(packed[begin:end]) if end > begin else EMPTY
        for begin, end in pairwise(bounds.tolist())
    ]
    return BatchCurves(curves, packed, bounds)


@cached
def sort_alerts(
    mjd: NDArray[np.float64], key: NDArray[np.uint8], bounds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], bool]:
    """Order every alert's points by time, then key.

    Histories come sorted, so runs that ascend already are found and merged.

    Parameters
    ----------
    bounds : int64, shape (n_alerts + 1,)
        Alert i has points `bounds[i]` to `bounds[i + 1]`.

    Returns
    -------
    order : int64, shape (n,)
    has_repeats : bool
        Whether an alert has two points of one time and key.
    """
    order, other = np.arange(len(mjd)), np.empty(len(mjd), dtype=np.int64)
    has_repeats = False
    for alert in range(len(bounds) - 1):
        begin, end = bounds[alert], bounds[alert + 1]
        while _merge_runs(mjd, key, order, other, begin, end):
            order[begin:end] = other[begin:end]
        for i in range(begin + 1, end):
            a, b = order[i - 1], order[i]
            has_repeats |= mjd[a] == mjd[b] and key[a] == key[b]
    return order, has_repeats


@compiled
def _precedes(mjd: float, key: int, other_mjd: float, other_key: int) -> bool:
    return bool(mjd < other_mjd or (mjd == other_mjd and key < other_key))


@compiled
def _merge_runs(
    mjd: NDArray[np.float64],
    key: NDArray[np.uint8],
    order: NDArray[np.int64],
    merged: NDArray[np.int64],
    begin: int,
    end: int,
) -> bool:
    """Merge the ascending runs of `order` in pairs into `merged`, unless it is one run."""
    first = begin
    while first < end:
        edges = (first, end, end)
        for i in range(first + 1, end):
            a, b = order[i], order[i - 1]
            if _precedes(mjd[a], key[a], mjd[b], key[b]):
                if edges[1] < end:
                    edges = (first, edges[1], i)
                    break
                edges = (first, i, end)
        if first == begin and edges[1] == end:
            return False
        _merge(mjd, key, order, merged, edges)
        first = edges[2]
    return begin < end


@compiled
def _merge(
    mjd: NDArray[np.float64],
    key: NDArray[np.uint8],
    order: NDArray[np.int64],
    merged: NDArray[np.int64],
    edges: tuple[int, int, int],
) -> None:
    i, middle, end = edges
    j = middle
    for k in range(i, end):
        takes_second = i == middle
        if i < middle and j < end:
            a, b = order[i], order[j]
            takes_second = _precedes(mjd[b], key[b], mjd[a], key[a])
        if takes_second:
            merged[k] = order[j]
            j += 1
        else:
            merged[k] = order[i]
            i += 1
