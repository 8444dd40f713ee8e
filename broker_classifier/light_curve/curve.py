"""The light curve of one object: an immutable, sorted set of measured points.

Merging two light curves is a set union: idempotent, and the same in any order. Fluxes are
difference fluxes in nJy (AB), times MJD.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_classifier.compiled import (
    FLOAT64,
    INT64,
    INT64S,
    cached_for,
    compiled,
    records_of,
    tuple_of,
)

BANDS = "ugrizy"
POINT = np.dtype([("mjd", "<f8"), ("psf_flux", "<f4"), ("psf_flux_err", "<f4"), ("flags", "u1")])

BAND_MASK = 0b111
KIND_SHIFT = 3
KIND_MASK = 0b11
_KEY = BAND_MASK | KIND_MASK << KIND_SHIFT
WITHDRAWN = 0b100000


LIMIT_SIGMAS = 5.0  # an upper limit is so many errors


class Kind(IntEnum):
    """How a point came about. An upper limit has flux NaN and, as its error, limit / 5."""

    DETECTION = 0
    UPPER_LIMIT = 1
    FORCED = 2


@dataclass(frozen=True, eq=False)
class LightCurve:
    """Points of one object, sorted by time, band and kind, each such key at most once.

    Build one with `light_curve`, or with `curve_from_arrays`; the constructor trusts its argument.

    Attributes
    ----------
    points : structured array of dtype `POINT`, shape (n,)
        17 bytes a point, little-endian.
    """

    points: NDArray[np.void]

    def to_bytes(self) -> bytes:
        """Give the points as bytes, 17 each."""
        return self.points.tobytes()

    def __len__(self) -> int:
        return len(self.points)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LightCurve) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    @property
    def mjd(self) -> NDArray[np.float64]:
        """Times, MJD (days), ascending."""
        return self.points["mjd"]

    @property
    def psf_flux(self) -> NDArray[np.float32]:
        """Difference fluxes, nJy; NaN for upper limits."""
        return self.points["psf_flux"]

    @property
    def psf_flux_err(self) -> NDArray[np.float32]:
        """One-sigma flux errors, nJy; a fifth of the limit for upper limits."""
        return self.points["psf_flux_err"]

    @property
    def band(self) -> NDArray[np.uint8]:
        """Indices into `BANDS`."""
        return self.points["flags"] & np.uint8(BAND_MASK)

    @property
    def kind(self) -> NDArray[np.uint8]:
        """`Kind` of every point."""
        return (self.points["flags"] >> np.uint8(KIND_SHIFT)) & np.uint8(KIND_MASK)

    @property
    def is_withdrawn(self) -> NDArray[np.bool_]:
        """Points that the survey took back; they stay, so that a late copy cannot revive them."""
        return np.asarray(self.points["flags"] & np.uint8(WITHDRAWN), dtype=bool)

    def until(self, mjd: float) -> "LightCurve":
        """Keep what had been observed at `mjd`, that moment included."""
        return LightCurve(self.points[: _n_until(self.points, mjd)])

    def merge(self, *others: "LightCurve") -> "LightCurve":
        """Unite light curves of one object.

        Where two disagree about one (time, band, kind), a withdrawal wins, then the smaller error,
        then the larger flux: a total order, so the result depends on no order of arrival. (ZTF
        has objects with two candidates in one exposure, one of them a bad fit.)
        """
        points = self.points
        for other in others:
            points = _merge_sorted(points, other.points)
        return LightCurve(points)


def curve_from_arrays(
    mjd: ArrayLike,
    psf_flux: ArrayLike,
    psf_flux_err: ArrayLike,
    band_index: ArrayLike,
    kind: ArrayLike = Kind.DETECTION,
    is_withdrawn: ArrayLike = False,
) -> LightCurve:
    """Build a light curve from columns in any order, unchecked; scalars stand for whole columns.

    `light_curve` takes band letters instead, and checks every row.

    Parameters
    ----------
    mjd, psf_flux, psf_flux_err : array-like, shape (n,)
        Days; nJy; nJy.
    band_index : array-like of int, shape (n,)
        Indices into `BANDS`.
    kind : array-like of `Kind`
    is_withdrawn : array-like of bool

    Examples
    --------
    >>> curve = curve_from_arrays([60001.0, 60000.0], [200.0, 100.0], 10.0, [2, 1])
    >>> curve.mjd.tolist(), curve.psf_flux.tolist()
    ([60000.0, 60001.0], [100.0, 200.0])
    """
    points = np.empty(np.shape(mjd), dtype=POINT)
    points["mjd"], points["psf_flux"], points["psf_flux_err"] = mjd, psf_flux, psf_flux_err
    points["flags"] = point_flags(band_index, kind, is_withdrawn)
    return LightCurve(_canonical(points))


def point_flags(band: ArrayLike, kind: ArrayLike, is_withdrawn: ArrayLike = False) -> Any:
    """Pack band (bits 0-2), kind (3-4) and withdrawal (5) into one byte a point."""
    flags = np.asarray(band, dtype=np.uint8) | (np.asarray(kind, dtype=np.uint8) << KIND_SHIFT)
    return flags | np.where(is_withdrawn, WITHDRAWN, 0).astype(np.uint8)


def starts_of(lengths: Iterable[int]) -> NDArray[np.int64]:
    """Give where each of n things begins that lie one after another, and where the last ends.

    >>> starts_of([3, 0, 2]).tolist()
    [0, 3, 3, 5]
    """
    return np.fromiter(accumulate(lengths, initial=0), dtype=np.int64)


def joined(curves: Sequence[LightCurve]) -> NDArray[np.void]:
    """Put the points of light curves one after another."""
    return np.frombuffer(b"".join([curve.to_bytes() for curve in curves]), dtype=POINT)


def band_indices(letters: Sequence[str]) -> NDArray[np.uint8]:
    """Turn band letters into indices.

    >>> band_indices("gri").tolist()
    [1, 2, 3]
    """
    return np.array([BANDS.index(letter) for letter in letters], dtype=np.uint8)


@compiled
def _replaces(new: Any, old: Any) -> bool:
    new_withdrawn, old_withdrawn = new.flags & WITHDRAWN, old.flags & WITHDRAWN
    if new_withdrawn != old_withdrawn:
        return bool(new_withdrawn > old_withdrawn)
    if new.psf_flux_err != old.psf_flux_err:
        return bool(new.psf_flux_err < old.psf_flux_err)
    if np.isnan(old.psf_flux):
        return not np.isnan(new.psf_flux)
    return bool(new.psf_flux > old.psf_flux)


@compiled
def _band_and_kind(key: int) -> int:
    return (key & BAND_MASK) << 2 | key >> KIND_SHIFT


# Named for both writable and read-only points, so that it is compiled once and not for each mix.
POINTS = records_of(POINT, readonly=True)


@cached_for(INT64(POINTS, FLOAT64))
def _n_until(points: NDArray[np.void], mjd: float) -> int:
    n = len(points)
    while n and not points[n - 1].mjd <= mjd:  # most often it is the newest that is asked for
        n -= 1
    return n


@cached_for(records_of(POINT)(POINTS, POINTS))
def _merge_sorted(first: NDArray[np.void], second: NDArray[np.void]) -> NDArray[np.void]:
    merged = np.empty(len(first) + len(second), dtype=first.dtype)
    i = j = n = 0
    while i < len(first) and j < len(second):
        p, q = first[i], second[j]
        p_key, q_key = p.flags & _KEY, q.flags & _KEY
        if p.mjd == q.mjd and p_key == q_key:
            merged[n] = q if _replaces(q, p) else p
            i += 1
            j += 1
        elif p.mjd < q.mjd or (p.mjd == q.mjd and _band_and_kind(p_key) < _band_and_kind(q_key)):
            merged[n] = p
            i += 1
        else:
            merged[n] = q
            j += 1
        n += 1
    rest = first[i:] if i < len(first) else second[j:]
    merged[n : n + len(rest)] = rest
    return merged[: n + len(rest)]


@cached_for(tuple_of(records_of(POINT), INT64S)(POINTS, INT64S))
def without_repeats(
    points: NDArray[np.void], starts: NDArray[np.int64]
) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Leave one point of each time, band and kind in light curves that lie one after another.

    Parameters
    ----------
    points : structured array of dtype `POINT`
        Sorted within each light curve.
    starts : int64, shape (n + 1,)
        Where each light curve begins, and where the last ends.

    Returns
    -------
    points, starts : the same of what is left
    """
    left, left_starts, n = np.empty(len(points), dtype=points.dtype), starts.copy(), 0
    for c in range(len(starts) - 1):
        left_starts[c] = n
        for i in range(starts[c], starts[c + 1]):
            new, is_repeat = points[i], False
            if n > left_starts[c]:
                old = left[n - 1]
                is_repeat = old.mjd == new.mjd and old.flags & _KEY == new.flags & _KEY
            if not is_repeat:
                left[n] = new
                n += 1
            elif _replaces(new, left[n - 1]):
                left[n - 1] = new
    left_starts[-1] = n
    return left[:n], left_starts


def _canonical(points: NDArray[np.void]) -> NDArray[np.void]:
    flags = points["flags"]
    key = flags & np.uint8(_KEY)
    band, kind = key & np.uint8(BAND_MASK), key >> np.uint8(KIND_SHIFT)
    not_withdrawn = (flags & np.uint8(WITHDRAWN)) == 0
    precedence = (-points["psf_flux"], points["psf_flux_err"], not_withdrawn)
    order = np.lexsort((*precedence, kind, band, points["mjd"]))
    mjd, key = points["mjd"][order], key[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (mjd[1:] != mjd[:-1]) | (key[1:] != key[:-1])
    return points[order[is_first]]


EMPTY = LightCurve(np.empty(0, dtype=POINT))
