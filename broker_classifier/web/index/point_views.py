"""The points of an object once, and of every answer which of them it saw and how it weighed them.

Every message repeats the whole light curve. Kept whole, an object with 1,000 points and 300 answers
would be 45 MB; as views on one list of points it is less than 1 MB.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.web.index.published import POINTS

_LEVEL = 1
MOST_REASONS = 250  # a code is one byte; what a broken sender invents beyond is "other"
USED = 0


@dataclass(frozen=True, eq=False)
class PointView:
    """How one answer saw the points of its object.

    Attributes
    ----------
    index : uint32 array, shape (n,)
        Position of each of its points among the object's.
    reason : uint8 array, shape (n,)
        Code of why each was rejected; 0 where it was used.
    attention : float32 array, shape (n,)
        NaN where there was none.
    """

    index: NDArray[np.uint32]
    reason: NDArray[np.uint8]
    attention: NDArray[np.float32]


def merge_points(
    points: NDArray[np.void], seen: NDArray[np.void]
) -> tuple[NDArray[np.void], NDArray[np.uint32]]:
    """Add what is new among the points seen.

    Returns
    -------
    points : structured array of `POINTS`
        The old ones at their places, then the new ones.
    index : uint32 array
        Where each point seen stands among them.

    Examples
    --------
    >>> old = np.array([(1.0, 5.0, 1.0, 0, 0)], POINTS)
    >>> both = np.array([(0.5, 2.0, 1.0, 0, 0), (1.0, 5.0, 1.0, 0, 0)], POINTS)
    >>> merged, index = merge_points(old, both)
    >>> merged["mjd"].tolist(), index.tolist()
    ([1.0, 0.5], [1, 0])
    """
    n_old, n_seen = len(points), len(seen)
    n_both = min(n_old, n_seen)
    if points[:n_both].tobytes() == seen[:n_both].tobytes():  # the usual case: it grew at its end
        return (seen if n_seen > n_old else points), np.arange(n_seen, dtype=np.uint32)
    places = {row: place for place, row in enumerate(_rows(points))}
    index = [places.setdefault(row, len(places)) for row in _rows(seen)]
    return np.frombuffer(b"".join(places), POINTS), np.array(index, dtype=np.uint32)


def reason_codes(rejected: list[str | None], names: list[str]) -> NDArray[np.uint8]:
    """Code the reasons of points; a new reason is added to `names`, whose first is that of use.

    >>> names = [""]
    >>> reason_codes(["band", None, "band"], names).tolist(), names
    ([1, 0, 1], ['', 'band'])
    """
    codes = {name: code for code, name in enumerate(names)}
    for reason in rejected:
        if reason and reason not in codes:
            name = reason if len(names) < MOST_REASONS else "other"
            if name not in codes:
                codes[name] = len(names)
                names.append(name)
            codes[reason] = codes[name]
    return np.array([codes[reason or ""] for reason in rejected], dtype=np.uint8)


def pack_view(view: PointView) -> bytes:
    """Write a view small: most see the first n points of their object."""
    n = len(view.index)
    is_plain = bool(np.array_equal(view.index, np.arange(n, dtype=np.uint32)))
    head = np.array([n, is_plain], dtype=np.uint32).tobytes()
    index = b"" if is_plain else view.index.tobytes()
    attention = view.attention[view.reason == USED].tobytes()
    return zlib.compress(head + index + view.reason.tobytes() + attention, _LEVEL)


def unpack_view(blob: bytes) -> PointView:
    """Read what `pack_view` wrote."""
    data = zlib.decompress(blob)
    n, is_plain = np.frombuffer(data, np.uint32, 2).tolist()
    at = 8
    index = np.arange(n, dtype=np.uint32)
    if not is_plain:
        index = np.frombuffer(data, np.uint32, n, at)
        at += 4 * n
    reason = np.frombuffer(data, np.uint8, n, at)
    attention = np.full(n, np.nan, dtype=np.float32)
    attention[reason == USED] = np.frombuffer(data, np.float32, -1, at + n)
    return PointView(index, reason, attention)


def _rows(points: NDArray[np.void]) -> list[bytes]:
    data, size = points.tobytes(), POINTS.itemsize
    return [data[at : at + size] for at in range(0, len(data), size)]
