"""What an encoder keeps of a light curve between detections: bytes, valid for its points only.

    digest      8  of the network and the used points that went in
    n_points    4
    weight_sum  4  float32, sum of exp(energy)
    vectors   9 H  hidden_0, hidden_1, context: 24-bit fixed point, 3 bytes a value
    energies  3 n  the same, one for each point

A digest that does not fit means other points, another episode or another network: the state is
then of no use, and the light curve is encoded from its first point. Rounding to 24 bits moves
probabilities by less than 1e-6.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import (
    FLOAT32_ROWS,
    FLOAT32S,
    FLOAT64,
    INT64,
    INT64S,
    NOTHING,
    READONLY_INT64S,
    READONLY_UINT8S,
    UINT8S,
    UINT32S,
    UINT64,
    UINT64S,
    cached_for,
    compiled,
)
from broker_classifier.light_curve import CurveBatch, starts_of

HEAD_BYTES = 16
VALUE_BYTES = 3
_FULL_SCALE = 2.0**23 - 1
_FNV_PRIME = np.uint64(0x100000001B3)
Floats = NDArray[np.float32]


class Unpacked(NamedTuple):
    """What encoder_states say about n light curves, their points one after another.

    Attributes
    ----------
    n_done : int array, shape (n,)
        How many first points are encoded; 0 where there is no state or it does not fit.
    state : float32 array, shape (n, 3 H + 1)
        hidden_0, hidden_1, context, weight_sum; 0 where nothing is encoded.
    energies : float32 array, shape (n_points,)
        Of the encoded points; the others' are 0.
    digests : uint64 array, shape (n,)
        Of all points, for `pack`.
    """

    n_done: NDArray[np.int64]
    state: Floats
    energies: Floats
    digests: NDArray[np.uint64]


def unpack(
    encoder_states: Sequence[bytes],
    batch: CurveBatch,
    network_key: int,
    scale: Floats,
    energy_scale: float,
) -> Unpacked:
    """Read encoder_states, and check that each is of the first points of its light curve.

    Parameters
    ----------
    encoder_states : sequence of bytes, n of them
        Empty for none.
    batch : CurveBatch
        Used points of n light curves.
    network_key : int
        64 bits that stand for network and preparation of its input.
    scale : float32 array, shape (3 H,)
        The largest magnitude of each value of the vectors.
    energy_scale : float
        The largest magnitude of an energy.
    """
    n, n_values = len(encoder_states), len(scale)
    places = starts_of(len(encoder_state) for encoder_state in encoder_states)
    unpacked = Unpacked(
        np.zeros(n, dtype=np.int64),
        np.zeros((n, n_values + 1), dtype=np.float32),
        np.zeros(len(batch.points), dtype=np.float32),
        np.zeros(n, dtype=np.uint64),
    )
    packed = np.frombuffer(b"".join(encoder_states), dtype=np.uint8)
    raw = np.frombuffer(batch.points.tobytes(), dtype=np.uint8)
    _unpack(
        packed,
        places,
        raw,
        batch.points.itemsize,
        batch.starts,
        np.uint64(network_key),
        scale,
        energy_scale,
        *unpacked,
    )
    return unpacked


def pack(unpacked: Unpacked, batch: CurveBatch, scale: Floats, energy_scale: float) -> list[bytes]:
    """Write the encoder_states of n light curves whose states and energies are all filled in."""
    sizes = HEAD_BYTES + VALUE_BYTES * (len(scale) + batch.lengths)
    places = np.concatenate([[0], np.cumsum(sizes)])
    packed = np.empty(int(places[-1]), dtype=np.uint8)
    weight_sums = unpacked.state[:, -1].copy().view(np.uint32)
    _pack(
        packed,
        places,
        batch.starts,
        unpacked.digests,
        weight_sums,
        unpacked.state,
        scale,
        unpacked.energies,
        energy_scale,
    )
    everything, ends = packed.tobytes(), places.tolist()
    return [everything[a:b] for a, b in pairwise(ends)]


@compiled
def _digest(raw: NDArray[np.uint8], start: int, stop: int, digest: np.uint64) -> np.uint64:
    """Go on with an FNV-1a digest over some bytes."""
    for i in range(start, stop):
        digest = (digest ^ np.uint64(raw[i])) * _FNV_PRIME
    return digest


@compiled
def _integer(packed: NDArray[np.uint8], place: int, n_bytes: int) -> np.uint64:
    value = np.uint64(0)
    for i in range(n_bytes):
        value |= np.uint64(packed[place + i]) << np.uint64(8 * i)
    return value


@compiled
def _put_integer(packed: NDArray[np.uint8], place: int, n_bytes: int, value: np.uint64) -> None:
    for i in range(n_bytes):
        packed[place + i] = np.uint8((value >> np.uint64(8 * i)) & np.uint64(255))


@compiled
def _value(packed: NDArray[np.uint8], place: int, scale: float) -> float:
    """Read a 24-bit fixed-point value between -scale and scale."""
    unsigned = np.int64(_integer(packed, place, VALUE_BYTES))
    return (unsigned - 2**23) / _FULL_SCALE * scale


@compiled
def _put_value(packed: NDArray[np.uint8], place: int, scale: float, value: float) -> None:
    share = min(max(value / scale, -1.0), 1.0)
    unsigned = np.int64(np.rint(share * _FULL_SCALE)) + 2**23
    _put_integer(packed, place, VALUE_BYTES, np.uint64(unsigned))


@cached_for(
    NOTHING(
        READONLY_UINT8S,
        INT64S,
        READONLY_UINT8S,
        INT64,
        READONLY_INT64S,
        UINT64,
        FLOAT32S,
        FLOAT64,
        INT64S,
        FLOAT32_ROWS,
        FLOAT32S,
        UINT64S,
    )
)
def _unpack(
    packed: NDArray[np.uint8],
    places: NDArray[np.int64],
    raw: NDArray[np.uint8],
    point_bytes: int,
    starts: NDArray[np.int64],
    key: np.uint64,
    scale: Floats,
    energy_scale: float,
    n_done: NDArray[np.int64],
    state: Floats,
    energies: Floats,
    digests: NDArray[np.uint64],
) -> None:
    n_values = len(scale)
    for c in range(len(places) - 1):
        place, size = places[c], places[c + 1] - places[c]
        first, last = starts[c], starts[c + 1]
        n = np.int64(_integer(packed, place + 8, 4)) if size >= HEAD_BYTES else 0
        if n > last - first or size != HEAD_BYTES + VALUE_BYTES * (n_values + n):
            n = 0
        split = (first + n) * point_bytes
        digest = _digest(raw, first * point_bytes, split, key)
        digests[c] = _digest(raw, split, last * point_bytes, digest)
        if n == 0 or digest != _integer(packed, place, 8):
            continue
        n_done[c] = n
        vectors = place + HEAD_BYTES
        for i in range(n_values):
            state[c, i] = _value(packed, vectors + VALUE_BYTES * i, scale[i])
        for i in range(n):
            at = vectors + VALUE_BYTES * (n_values + i)
            energies[first + i] = _value(packed, at, energy_scale)
        bits = np.empty(1, dtype=np.uint32)
        bits[0] = np.uint32(_integer(packed, place + 12, 4))
        state[c, n_values] = bits.view(np.float32)[0]


@cached_for(
    NOTHING(
        UINT8S,
        INT64S,
        READONLY_INT64S,
        UINT64S,
        UINT32S,
        FLOAT32_ROWS,
        FLOAT32S,
        FLOAT32S,
        FLOAT64,
    )
)
def _pack(
    packed: NDArray[np.uint8],
    places: NDArray[np.int64],
    starts: NDArray[np.int64],
    digests: NDArray[np.uint64],
    weight_sums: NDArray[np.uint32],
    state: Floats,
    scale: Floats,
    energies: Floats,
    energy_scale: float,
) -> None:
    n_values = len(scale)
    for c in range(len(places) - 1):
        place, first = places[c], starts[c]
        n = starts[c + 1] - first
        _put_integer(packed, place, 8, digests[c])
        _put_integer(packed, place + 8, 4, np.uint64(n))
        _put_integer(packed, place + 12, 4, np.uint64(weight_sums[c]))
        vectors = place + HEAD_BYTES
        for i in range(n_values):
            _put_value(packed, vectors + VALUE_BYTES * i, scale[i], state[c, i])
        for i in range(n):
            at = vectors + VALUE_BYTES * (n_values + i)
            _put_value(packed, at, energy_scale, energies[first + i])
