"""Light curves with what a bundle made of their points, as JSON text, written by a compiled loop.

A full packet has half a hundred points, and making Python objects of them costs more than all the
rest of the street. Numbers are written so that they are read back to the same value: times to the
last bit, fluxes rounded to 1e-3 nJy and attention to 1e-6.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from broker_classifier.compiled import (
    FLOAT64S,
    INT64S,
    READONLY_UINT8S,
    ROW_BYTES,
    UINT8_ROWS,
    UINT8S,
    cached_for,
    compiled,
    copy_row,
)
from broker_classifier.light_curve import (
    BAND_MASK,
    BANDS,
    KIND_MASK,
    KIND_SHIFT,
    POINTS,
    CurveBatch,
    Kind,
    LightCurve,
)
from broker_classifier.light_curve.selection_rules import REASONS
from broker_classifier.model.classify import Classification

KIND_NAMES = tuple(kind.name.lower() for kind in Kind)
FLUX_DECIMALS, ATTENTION_DECIMALS, MJD_DECIMALS = 3, 6, 12
# Outside of these, 12 decimals are not the whole of a float64, or an int64 not that of a flux.
_FIRST_MJD, _LAST_MJD, _LARGEST_FLUX = 8192.0, 1e6, 1e12
_UNITS = 10.0 ** np.arange(MJD_DECIMALS + 1)
_TEN = np.uint64(10)
_MOST_BYTES = 176  # of a point: 82 of names, 28 of words, 61 of numbers


class _Words(NamedTuple):
    """Words in rows of one length: to copy all of a row is faster than to look where it ends."""

    text: NDArray[np.uint8]  # (n, ROW_BYTES)
    lengths: NDArray[np.int64]  # (n,)


def _words(words: Sequence[str]) -> _Words:
    rows = [np.frombuffer(word.encode().ljust(ROW_BYTES), dtype=np.uint8) for word in words]
    return _Words(np.array(rows), np.array([len(word) for word in words]))


# What stands between the numbers of a point: words that depend on its band and kind, or its reason.
_MJD_WORD, _ERR_WORD, _ATTENTION_WORD, _BAND_WORDS = range(4)
_REASON_WORDS = _BAND_WORDS + len(BANDS) * len(KIND_NAMES)
_WORDS = _words(
    [
        '{"mjd":',
        ',"psf_flux_err":',
        ',"attention":',
        *[f',"band":"{b}","kind":"{k}","psf_flux":' for b in BANDS for k in KIND_NAMES],
        *[f',"rejected":"{reason}"}},' if reason else ',"rejected":null},' for reason in REASONS],
    ]
)
_OPEN, _CLOSE, _DOT, _MINUS, _ZERO = b"[].-0"


def light_curves_json(
    curves: Sequence[LightCurve], classifications: Sequence[Classification]
) -> list[bytes]:
    """Write the points of light curves, those of each as one JSON list of `PointMessage`."""
    batch = CurveBatch.of(curves)
    n_points = len(batch.points)
    reasons = np.frombuffer(b"".join([c.reason.tobytes() for c in classifications]), np.uint8)
    attention = np.full(n_points, np.nan)
    for classification, start in zip(classifications, batch.starts.tolist(), strict=False):
        if classification.attention is not None:
            attention[classification.used + start] = classification.attention
    buffer = np.empty(_MOST_BYTES * n_points + 2 * len(curves) + ROW_BYTES, dtype=np.uint8)
    ends = _write(batch.points, batch.starts, reasons, attention, *_WORDS, buffer).tolist()
    text = buffer[: ends[-1]].tobytes()
    return [
        text[a:b] if b > a else plain_json(curves[c], classifications[c])
        for c, (a, b) in enumerate(pairwise(ends))
    ]


def plain_json(curve: LightCurve, classification: Classification) -> bytes:
    """Write the points of one light curve one by one, whatever their numbers."""
    attention: list[float | None] = [None] * len(curve)
    if classification.attention is not None:
        weights = np.round(classification.attention, ATTENTION_DECIMALS).tolist()
        for index, weight in zip(classification.used.tolist(), weights, strict=True):
            attention[index] = weight
    columns: tuple[list[Any], ...] = (
        curve.mjd.tolist(),
        [BANDS[band] for band in curve.band.tolist()],
        [KIND_NAMES[kind] for kind in curve.kind.tolist()],
        np.round(curve.psf_flux.astype(float), FLUX_DECIMALS).tolist(),  # an upper limit's is NaN
        np.round(curve.psf_flux_err.astype(float), FLUX_DECIMALS).tolist(),
        attention,
        [reason or None for reason in classification.rejected],
    )
    names = ("mjd", "band", "kind", "psf_flux", "psf_flux_err", "attention", "rejected")
    rows = zip(*columns, strict=True)
    return orjson.dumps([dict(zip(names, row, strict=True)) for row in rows])


@compiled
def _put_word(
    out: NDArray[np.uint8], place: int, n: int, text: NDArray[np.uint8], lengths: NDArray[np.int64]
) -> int:
    copy_row(out.ctypes.data + place, text.ctypes.data + ROW_BYTES * n)
    return place + int(lengths[n])


@compiled
def _put_digits(out: NDArray[np.uint8], place: int, value: int, n_digits: int) -> int:
    rest = np.uint64(value)
    for i in range(n_digits - 1, -1, -1):
        tenth = rest // _TEN
        out[place + i] = _ZERO + np.uint8(rest - tenth * _TEN)
        rest = tenth
    return place + n_digits


@compiled
def _put_integer(out: NDArray[np.uint8], place: int, value: int) -> int:
    n_digits, limit = 1, 10
    while value >= limit:
        n_digits, limit = n_digits + 1, 10 * limit
    return _put_digits(out, place, value, n_digits)


@compiled
def _put_decimals(out: NDArray[np.uint8], place: int, value: int, n_digits: int) -> int:
    """Write digits behind a point, without the zeros at their end but for one."""
    out[place] = _DOT
    place = _put_digits(out, place + 1, value, n_digits)
    for _ in range(n_digits - 1):
        if out[place - 1] != _ZERO:
            break
        place -= 1
    return place


@compiled
def _put_rounded(out: NDArray[np.uint8], place: int, value: float, n_decimals: int) -> int:
    """Write a number rounded to so many decimals, below 2**63 without its point; null for NaN."""
    if np.isnan(value):
        out[place], out[place + 1], out[place + 2], out[place + 3] = 110, 117, 108, 108
        return place + 4
    if value < 0:
        out[place] = _MINUS
        place += 1
    unit = _UNITS[n_decimals]
    scaled = np.rint(abs(value) * unit)
    whole = np.floor(scaled / unit)
    place = _put_integer(out, place, int(whole))
    return _put_decimals(out, place, int(scaled - whole * unit), n_decimals)


@compiled
def _put_mjd(out: NDArray[np.uint8], place: int, mjd: float) -> int:
    """Write a time with the fewest decimals that are read back to it; more would do as well."""
    whole = int(np.floor(mjd))
    few, middle, n_decimals = 1, MJD_DECIMALS - 2, MJD_DECIMALS  # most take 11
    while few < n_decimals:
        unit = _UNITS[middle]
        if whole + np.rint((mjd - whole) * unit) / unit == mjd:
            n_decimals = middle
        else:
            few = middle + 1
        middle = (few + n_decimals) // 2
    unit = _UNITS[n_decimals]
    decimals = int(np.rint((mjd - whole) * unit))
    if decimals == unit:  # rounded up to the next day
        whole, decimals = whole + 1, 0
    return _put_decimals(out, _put_integer(out, place, whole), decimals, n_decimals)


@compiled
def _is_plain(point: Any) -> bool:
    has_plain_time = _FIRST_MJD <= point.mjd < _LAST_MJD
    is_large = abs(point.psf_flux) >= _LARGEST_FLUX or abs(point.psf_flux_err) >= _LARGEST_FLUX
    return has_plain_time and not is_large


@compiled
def _put_point(
    out: NDArray[np.uint8],
    place: int,
    point: Any,
    reason: int,
    weight: float,
    text: NDArray[np.uint8],
    lengths: NDArray[np.int64],
) -> int:
    band, kind = point.flags & BAND_MASK, point.flags >> KIND_SHIFT & KIND_MASK
    place = _put_mjd(out, _put_word(out, place, _MJD_WORD, text, lengths), point.mjd)
    place = _put_word(out, place, _BAND_WORDS + len(KIND_NAMES) * band + kind, text, lengths)
    place = _put_rounded(out, place, np.float64(point.psf_flux), FLUX_DECIMALS)
    place = _put_word(out, place, _ERR_WORD, text, lengths)
    place = _put_rounded(out, place, np.float64(point.psf_flux_err), FLUX_DECIMALS)
    place = _put_word(out, place, _ATTENTION_WORD, text, lengths)
    place = _put_rounded(out, place, weight, ATTENTION_DECIMALS)
    return _put_word(out, place, _REASON_WORDS + reason, text, lengths)


@cached_for(
    INT64S(
        POINTS,
        INT64S,
        READONLY_UINT8S,
        FLOAT64S,
        UINT8_ROWS,
        INT64S,
        UINT8S,
    )
)
def _write(
    points: NDArray[np.void],
    starts: NDArray[np.int64],
    reasons: NDArray[np.uint8],
    attention: NDArray[np.float64],
    text: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Write all light curves one after another; return where each begins, and the last ends.

    One with a number that is not to be written here gets no bytes.
    """
    ends = np.zeros(len(starts), dtype=np.int64)
    for c in range(len(starts) - 1):
        place = ends[c]
        out[place] = _OPEN
        place += 1
        is_plain = True
        for i in range(starts[c], starts[c + 1]):
            is_plain = is_plain and _is_plain(points[i])
            if is_plain:
                place = _put_point(out, place, points[i], reasons[i], attention[i], text, lengths)
        if starts[c] < starts[c + 1]:
            place -= 1  # no comma behind the last
        out[place] = _CLOSE
        ends[c + 1] = place + 1 if is_plain else ends[c]
    return ends
