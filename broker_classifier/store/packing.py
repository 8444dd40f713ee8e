"""The stored form of object records: exact, and smaller than their arrays.

    seen_at, history_mjd, first_mjd  8 each
    n_points, n_answered             4 each
    width                            1  and 128, and 64
    version                          8
    times      width n_points  since the first, in units of 1e-7 d; or, of width 8, MJDs
    flags            n_points  of `POINT`, and NO_FLUX
    errors         4 n_points
    fluxes         4           of each point with one
    ids            8 n_answered
    origins        4 n_answered
    places   1 or 4  n_answered  of its detection among the points, or nowhere; whether it is final
    MJDs           8           of each answered alert whose detection is nowhere
    for each encoder state: the key of its bundle 4, its length 4, and it

All integers are little-endian. Times of surveys are rounded to 1e-7 d (`photometry`), so 4 bytes
hold the exact time of a point, 5 from day 430 on. An upper limit has no flux. An answered alert's
time is that of a point, unless its detection was withdrawn.

Format 5 had one state without key and length, and a width below 192; format 4 had neither version
nor origins besides, and a width below 128. Such records are read, and written anew when their
object is seen again.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import POINT, LightCurve, joined, starts_of
from broker_classifier.store.packed_loops import (
    HEAD_BYTES,
    OLD_HEAD_BYTES,
    VERSION_AT,
    WITH_KEYS,
    WITH_VERSION,
    pack_columns,
    sizes_of,
    unpack_columns,
)
from broker_classifier.store.record import ANSWERED, NO_BUNDLE_NAMED, ObjectRecord

_STATE_HEAD = struct.Struct("<II")  # key, length


class _Columns(NamedTuple):
    """Records as arrays; where numbers must stay what they are to the bit, their bits."""

    seen_at: NDArray[np.uint64]
    version: NDArray[np.uint64]
    history_mjd: NDArray[np.uint64]
    mjd: NDArray[np.float64]
    flux: NDArray[np.uint32]
    flux_err: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    alert_id: NDArray[np.uint64]
    alert_mjd: NDArray[np.float64]
    is_final: NDArray[np.bool_]
    origin: NDArray[np.uint32]


def pack(records: Sequence[ObjectRecord], seen_at: Iterable[float]) -> list[bytes]:
    """Write records, and when each was last seen (Unix s)."""
    points = joined([record.curve for record in records])
    alerts = np.frombuffer(b"".join([r.answered.tobytes() for r in records]), dtype=ANSWERED)
    states = [packed_states(record.encoder_states) for record in records]
    encoder_states = np.frombuffer(b"".join(states), dtype=np.uint8)
    columns = _Columns(
        np.array(list(seen_at), dtype=np.float64).view(np.uint64),
        np.array([record.version for record in records], dtype=np.uint64),
        np.array([record.history_mjd for record in records], dtype=np.float64).view(np.uint64),
        points["mjd"].copy(),
        points["psf_flux"].copy().view(np.uint32),
        points["psf_flux_err"].copy().view(np.uint32),
        points["flags"].copy(),
        alerts["alert_id"].copy().view(np.uint64),
        alerts["mjd"].copy(),
        alerts["is_final"].copy(),
        alerts["origin"].copy(),
    )
    n_points = starts_of(len(record.curve) for record in records)
    n_alerts = starts_of(len(record.answered) for record in records)
    n_state = starts_of(map(len, states))
    # At most 8 + 1 + 4 + 4 bytes a point, and 8 + 4 + 4 + 8 an answered alert.
    most = HEAD_BYTES * len(records) + 17 * len(points) + 24 * len(alerts) + len(encoder_states)
    packed = np.empty(most, dtype=np.uint8)
    ends = pack_columns(
        n_points, n_alerts, n_state, tuple(columns), encoder_states, packed
    ).tolist()
    text = packed[: ends[-1]].tobytes()
    return [text[a:b] for a, b in pairwise(ends)]


def unpack(packed: Sequence[bytes]) -> list[ObjectRecord | None]:
    """Read what `pack` wrote; None in the place of what it cannot have written."""
    raw = np.frombuffer(b"".join(packed), dtype=np.uint8)
    places = starts_of(map(len, packed))
    n_points, n_alerts = sizes_of(raw, places)
    first_point, first_alert = starts_of(n_points.tolist()), starts_of(n_alerts.tolist())
    n, m = first_point[-1], first_alert[-1]
    columns = _Columns(
        np.empty(0, dtype=np.uint64),
        np.empty(len(packed), dtype=np.uint64),
        np.empty(len(packed), dtype=np.uint64),
        np.empty(n, dtype=np.float64),
        np.empty(n, dtype=np.uint32),
        np.empty(n, dtype=np.uint32),
        np.empty(n, dtype=np.uint8),
        np.empty(m, dtype=np.uint64),
        np.empty(m, dtype=np.float64),
        np.empty(m, dtype=np.bool_),
        np.empty(m, dtype=np.uint32),
    )
    state_at = unpack_columns(raw, places, first_point, first_alert, tuple(columns))
    points, alerts = np.empty(n, dtype=POINT), np.empty(m, dtype=ANSWERED)
    points["mjd"], points["flags"] = columns.mjd, columns.flags
    points["psf_flux"] = columns.flux.view(np.float32)
    points["psf_flux_err"] = columns.flux_err.view(np.float32)
    alerts["alert_id"], alerts["mjd"] = columns.alert_id.view(np.int64), columns.alert_mjd
    alerts["is_final"], alerts["origin"] = columns.is_final, columns.origin
    histories = columns.history_mjd.view(np.float64).tolist()
    of_points, of_alerts = pairwise(first_point.tolist()), pairwise(first_alert.tolist())
    versions = columns.version.tolist()
    rows = zip(packed, of_points, of_alerts, state_at.tolist(), histories, versions, strict=True)
    return [
        None
        if at < 0
        else ObjectRecord(
            LightCurve(points[a:b]), alerts[c:d], _states_of(record, at), history, version
        )
        for record, (a, b), (c, d), at, history, version in rows
    ]


def packed_states(states: Mapping[int, bytes]) -> bytes:
    """Write what bundles keep of one object.

    >>> unpacked_states(packed_states({7: b"abc", 9: b"d"}), 0)
    {7: b'abc', 9: b'd'}
    """
    return b"".join([_STATE_HEAD.pack(key, len(s)) + s for key, s in states.items()])


def unpacked_states(packed: bytes, at: int) -> dict[int, bytes]:
    """Read what `packed_states` wrote, from a place on; nothing where it cannot have.

    >>> unpacked_states(b"?????", 0)
    {}
    """
    states = {}
    while len(packed) - at >= _STATE_HEAD.size:
        key, size = _STATE_HEAD.unpack_from(packed, at)
        first, at = at + _STATE_HEAD.size, at + _STATE_HEAD.size + size
        states[key] = packed[first:at]
    return states if at == len(packed) else {}


def _states_of(record: bytes, at: int) -> dict[int, bytes]:
    if record[OLD_HEAD_BYTES - 1] & WITH_KEYS:
        return unpacked_states(record, at)
    return {NO_BUNDLE_NAMED: record[at:]} if len(record) > at else {}


def seen_at(head: bytes) -> float:
    """Read from the first bytes of a record when it was last seen (Unix s)."""
    return float(np.frombuffer(head, np.float64, 1)[0])


def version_of(head: bytes) -> int:
    """Read from the first `HEAD_BYTES` of a record its version; 0 of one of format 4."""
    if not head[OLD_HEAD_BYTES - 1] & WITH_VERSION:
        return 0
    return int.from_bytes(head[VERSION_AT:HEAD_BYTES], "little")
