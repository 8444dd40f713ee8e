"""The stored form of records, written and read in compiled loops; `packing` says what it is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import (
    BOOLS,
    FLOAT64S,
    INT64S,
    READONLY_UINT8S,
    UINT8S,
    UINT32S,
    UINT64S,
    cached_for,
    compiled,
    tuple_of,
)

HEAD_BYTES = 41
OLD_HEAD_BYTES = 33  # of format 4, which had neither version nor origins
VERSION_AT = 33
WITH_VERSION, WITH_KEYS = 0x80, 0x40  # in the byte of the width
_TICKS_PER_DAY, _MAX_MJD = 1e7, 1e6
_RAW = 8  # the width that says that times are the bits of the MJDs
_NO_FLUX = 0x80  # in the flags, whose lower bits are those of `POINT`
_NAN = np.uint32(0x7FC00000)
_SMALL = 126  # points; up to here a place is one byte
Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]


@compiled
def _put(packed: Bytes, at: int, n_bytes: int, value: np.uint64) -> int:
    """Write an integer; return where it ends."""
    for i in range(n_bytes):
        packed[at + i] = np.uint8((value >> np.uint64(8 * i)) & np.uint64(255))
    return at + n_bytes


@compiled
def _get(raw: Bytes, at: int, n_bytes: int) -> np.uint64:
    value = np.uint64(0)
    for i in range(n_bytes):
        value |= np.uint64(raw[at + i]) << np.uint64(8 * i)
    return value


@compiled
def _width(mjd: NDArray[np.float64]) -> int:
    """Find how the times of a light curve are written: ticks since the first in so many bytes."""
    n_bytes = 0
    for i in range(len(mjd)):
        if not (mjd[i] >= mjd[0] > -_MAX_MJD and mjd[i] < _MAX_MJD):
            return _RAW
        if np.rint(mjd[i] * _TICKS_PER_DAY) / _TICKS_PER_DAY != mjd[i]:
            return _RAW
        while _ticks(mjd, i) >= 1 << (8 * n_bytes):
            n_bytes += 1
    return n_bytes


@compiled
def _ticks(mjd: NDArray[np.float64], i: int) -> int:
    return int(np.rint(mjd[i] * _TICKS_PER_DAY) - np.rint(mjd[0] * _TICKS_PER_DAY))


@compiled
def _first_bits(mjd: NDArray[np.float64]) -> np.uint64:
    return mjd.view(np.uint64)[0] if len(mjd) else np.uint64(0)


@compiled
def _put_times(packed: Bytes, at: int, mjd: NDArray[np.float64], width: int) -> int:
    bits = mjd.view(np.uint64)
    for i in range(len(mjd)):
        value = bits[i] if width == _RAW else np.uint64(_ticks(mjd, i))
        at = _put(packed, at, width, value)
    return at


@compiled
def _get_times(
    raw: Bytes, at: int, mjd: NDArray[np.float64], first_bits: np.uint64, width: int
) -> int:
    bits, first = mjd.view(np.uint64), 0.0
    for i in range(len(mjd)):
        value = _get(raw, at + width * i, width)
        bits[i] = value if width == _RAW else first_bits
        if width != _RAW:
            first = np.rint(mjd[0] * _TICKS_PER_DAY) if i == 0 else first
            mjd[i] = (first + np.float64(value)) / _TICKS_PER_DAY
    return at + width * len(mjd)


@compiled
def _put_points(
    packed: Bytes, at: int, flags: Bytes, flux: NDArray[np.uint32], flux_err: NDArray[np.uint32]
) -> int:
    for i in range(len(flags)):
        packed[at + i] = flags[i] | np.uint8(_NO_FLUX if flux[i] == _NAN else 0)
    at += len(flags)
    for i in range(len(flags)):
        at = _put(packed, at, 4, np.uint64(flux_err[i]))
    for i in range(len(flags)):
        if flux[i] != _NAN:
            at = _put(packed, at, 4, np.uint64(flux[i]))
    return at


@compiled
def _get_points(
    raw: Bytes,
    at: int,
    end: int,
    flags: Bytes,
    flux: NDArray[np.uint32],
    flux_err: NDArray[np.uint32],
) -> int:
    """Read points; return where they end, or -1 if that is behind the record's end."""
    n = len(flags)
    fluxes = at + 5 * n
    for i in range(n):
        flags[i] = raw[at + i] & np.uint8(~_NO_FLUX & 255)
        flux_err[i], flux[i] = np.uint32(_get(raw, at + n + 4 * i, 4)), _NAN
        if raw[at + i] < _NO_FLUX:
            if fluxes + 4 > end:
                return -1
            flux[i] = np.uint32(_get(raw, fluxes, 4))
            fluxes += 4
    return fluxes


@compiled
def _place_width(n_points: int) -> int:
    return 1 if n_points <= _SMALL else 4


@compiled
def _put_alerts(packed: Bytes, at: int, mjd: NDArray[np.float64], alerts: tuple[Any, ...]) -> int:
    alert_id, alert_mjd, is_final, origin = alerts
    width = _place_width(len(mjd))
    final = 1 << (8 * width - 1)
    for i in range(len(alert_id)):
        at = _put(packed, at, 8, alert_id[i])
    for i in range(len(alert_id)):
        at = _put(packed, at, 4, np.uint64(origin[i]))
    elsewhere = at + width * len(alert_id)
    for i in range(len(alert_id)):
        place = np.searchsorted(mjd, alert_mjd[i])
        if place == len(mjd) or mjd[place] != alert_mjd[i]:
            place = final - 1  # nowhere
            elsewhere = _put(packed, elsewhere, 8, alert_mjd.view(np.uint64)[i])
        at = _put(packed, at, width, np.uint64(place + (final if is_final[i] else 0)))
    return elsewhere


@compiled
def _get_alerts(
    raw: Bytes,
    at: int,
    end: int,
    mjd: NDArray[np.float64],
    alerts: tuple[Any, ...],
    origin_bytes: int,
) -> int:
    """Read answered alerts; return where they end, or -1 if they cannot be some."""
    alert_id, alert_mjd, is_final, origin = alerts
    n, width = len(alert_id), _place_width(len(mjd))
    final = 1 << (8 * width - 1)
    places = at + (8 + origin_bytes) * n
    elsewhere = places + width * n
    if at < 0 or elsewhere > end:
        return -1
    for i in range(n):
        alert_id[i] = _get(raw, at + 8 * i, 8)
        origin[i] = np.uint32(_get(raw, at + 8 * n + origin_bytes * i, origin_bytes))
        place = np.int64(_get(raw, places + width * i, width))
        is_final[i] = place >= final
        place %= final
        if place < len(mjd):
            alert_mjd[i] = mjd[place]
        elif place == final - 1 and elsewhere + 8 <= end:
            alert_mjd.view(np.uint64)[i] = _get(raw, elsewhere, 8)
            elsewhere += 8
        else:
            return -1
    return elsewhere


_COLUMNS = tuple_of(
    UINT64S,
    UINT64S,
    UINT64S,
    FLOAT64S,
    UINT32S,
    UINT32S,
    UINT8S,
    UINT64S,
    FLOAT64S,
    BOOLS,
    UINT32S,
)


@cached_for(INT64S(INT64S, INT64S, INT64S, _COLUMNS, READONLY_UINT8S, UINT8S))
def pack_columns(
    first_point: Integers,
    first_alert: Integers,
    first_byte: Integers,
    columns: tuple[Any, ...],
    encoder_states: Bytes,
    packed: Bytes,
) -> Integers:
    """Write records, the columns of `packing._Columns`; return where each ends."""
    seen, version, history_mjd, mjd, flux, flux_err, flags = columns[:7]
    alert_id, alert_mjd, is_final, origin = columns[7:]
    ends, at = np.zeros(len(seen) + 1, dtype=np.int64), 0
    for c in range(len(seen)):
        points = slice(first_point[c], first_point[c + 1])
        alerts = slice(first_alert[c], first_alert[c + 1])
        times = mjd[points]
        width = _width(times)
        for value in (seen[c], history_mjd[c], _first_bits(times)):
            at = _put(packed, at, 8, value)
        for count in (len(times), alerts.stop - alerts.start):
            at = _put(packed, at, 4, np.uint64(count))
        packed[at] = width | WITH_VERSION | WITH_KEYS
        at = _put(packed, at + 1, 8, version[c])
        at = _put_times(packed, at, times, width)
        at = _put_points(packed, at, flags[points], flux[points], flux_err[points])
        of_alerts = alert_id[alerts], alert_mjd[alerts], is_final[alerts], origin[alerts]
        at = _put_alerts(packed, at, times, of_alerts)
        for i in range(first_byte[c], first_byte[c + 1]):
            packed[at] = encoder_states[i]
            at += 1
        ends[c + 1] = at
    return ends


@compiled
def _head(raw: Bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Read a record's head: n_points (-1 if it cannot be one), n_answered, width, its end."""
    if end - at < OLD_HEAD_BYTES:
        return -1, -1, 0, 0
    n_points, n_alerts = int(_get(raw, at + 24, 4)), int(_get(raw, at + 28, 4))
    width, head_bytes, alert_bytes = int(raw[at + 32]), OLD_HEAD_BYTES, 8
    if width & WITH_VERSION:
        width, head_bytes, alert_bytes = width & ~(WITH_VERSION | WITH_KEYS), HEAD_BYTES, 12
    least = (width + 5) * n_points + (alert_bytes + _place_width(n_points)) * n_alerts
    if width > _RAW or least > end - at - head_bytes:
        return -1, -1, 0, 0
    return n_points, n_alerts, width, at + head_bytes


@cached_for(tuple_of(INT64S, INT64S)(READONLY_UINT8S, INT64S))
def sizes_of(raw: Bytes, places: Integers) -> tuple[Integers, Integers]:
    """Count the points and the answered alerts of every record, 0 of what is none."""
    n = len(places) - 1
    n_points, n_alerts = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for c in range(n):
        head = _head(raw, places[c], places[c + 1])
        n_points[c], n_alerts[c] = max(head[0], 0), max(head[1], 0)
    return n_points, n_alerts


@cached_for(INT64S(READONLY_UINT8S, INT64S, INT64S, INT64S, _COLUMNS))
def unpack_columns(
    raw: Bytes,
    places: Integers,
    first_point: Integers,
    first_alert: Integers,
    columns: tuple[Any, ...],
) -> Integers:
    """Fill the columns; return where in each record its state begins, -1 where it is none."""
    _, version, history_mjd, mjd, flux, flux_err, flags = columns[:7]
    alert_id, alert_mjd, is_final, origin = columns[7:]
    state_at = np.full(len(places) - 1, -1, dtype=np.int64)
    for c in range(len(state_at)):
        at, end = places[c], places[c + 1]
        n_points, _, width, head_end = _head(raw, at, end)
        if n_points < 0:
            continue
        points = slice(first_point[c], first_point[c + 1])
        alerts = slice(first_alert[c], first_alert[c + 1])
        has_version = head_end == at + HEAD_BYTES
        version[c] = _get(raw, at + VERSION_AT, 8) if has_version else np.uint64(0)
        history_mjd[c] = _get(raw, at + 8, 8)
        times = mjd[points]
        at = _get_times(raw, head_end, times, _get(raw, at + 16, 8), width)
        at = _get_points(raw, at, end, flags[points], flux[points], flux_err[points])
        of_alerts = alert_id[alerts], alert_mjd[alerts], is_final[alerts], origin[alerts]
        at = _get_alerts(raw, at, end, times, of_alerts, 4 if has_version else 0)
        state_at[c] = at - places[c] if at >= 0 else -1
    return state_at
