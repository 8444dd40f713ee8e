"""What an encoder keeps of a light curve between detections: bytes, valid for its points only.

    digest      8  of the network and the used points that went in
    weight_sum  4  float32, sum of exp(energy)
    vectors   9 H  hidden_0, hidden_1, context: 24-bit fixed point, 3 bytes a value
    energies  3 n  the same, one for each point

A digest that does not fit means other points, another episode or another network: the state is
then of no use, and the light curve is encoded from its first point. Rounding to 24 bits moves
probabilities by less than 1e-6; float32 would take a fifth more of the store.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import FLOAT32S, READONLY_UINT8S, UINT8S, cached_for
from broker_classifier.light_curve import CurveBatch

DIGEST_BYTES, HEAD_BYTES, VALUE_BYTES = 8, 12, 3
_FULL_SCALE = 2.0**23 - 1
_OFFSET = 2**23
ZERO = _OFFSET.to_bytes(VALUE_BYTES, "little")
Floats = NDArray[np.float32]


class Scale(NamedTuple):
    """The largest magnitudes of what is kept: of each value of the vectors, and of an energy."""

    vectors: Floats  # (3 H,)
    energy: Floats  # (1,)


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
    digests : list of bytes
        Of all points of each light curve, for `pack`.
    """

    n_done: NDArray[np.int64]
    state: Floats
    energies: Floats
    digests: list[bytes]


def unpack(
    encoder_states: Sequence[bytes], batch: CurveBatch, network_key: bytes, scale: Scale
) -> Unpacked:
    """Read encoder_states, and check that each is of the first points of its light curve.

    Parameters
    ----------
    encoder_states : sequence of bytes, n of them
        Empty for none.
    batch : CurveBatch
        Used points of n light curves.
    network_key : bytes
        Stands for the network and the preparation of its input.
    scale : Scale
    """
    size = VALUE_BYTES * len(scale.vectors)
    blank = bytes(HEAD_BYTES) + ZERO * len(scale.vectors)
    raw, point_bytes = batch.points.tobytes(), batch.points.itemsize
    edges = batch.starts.tolist()
    network = blake2b(network_key, digest_size=DIGEST_BYTES)
    n_done, padded, digests = [], [], []
    for packed, first, last in zip(encoder_states, edges[:-1], edges[1:], strict=True):
        n = _n_points(packed, size)
        split = point_bytes * (first + n if n <= last - first else first)
        digest = network.copy()
        digest.update(raw[point_bytes * first : split])
        fits = digest.digest() == packed[:DIGEST_BYTES]
        fitting, n = (packed, n) if fits else (blank, 0)
        n_done.append(n)
        padded.append(fitting + ZERO * (last - first - n))
        digest.update(raw[split : point_bytes * last])
        digests.append(digest.digest())
    weight_sums = [packed[DIGEST_BYTES:HEAD_BYTES] for packed in padded]
    vectors = [packed[HEAD_BYTES : HEAD_BYTES + size] for packed in padded]
    energies = [packed[HEAD_BYTES + size :] for packed in padded]
    state = np.empty((len(batch), len(scale.vectors) + 1), dtype=np.float32)
    state[:, :-1] = _from_24_bits(_bytes(vectors), scale.vectors).reshape(len(batch), -1)
    state[:, -1] = _bytes(weight_sums).view(np.float32)
    return Unpacked(np.array(n_done), state, _from_24_bits(_bytes(energies), scale.energy), digests)


def pack(unpacked: Unpacked, batch: CurveBatch, scale: Scale) -> list[bytes]:
    """Write the encoder_states of n light curves whose states and energies are all filled in."""
    vectors = _to_24_bits(unpacked.state[:, :-1].ravel(), scale.vectors).tobytes()
    energies = _to_24_bits(unpacked.energies, scale.energy).tobytes()
    weight_sums = unpacked.state[:, -1].tobytes()
    size = VALUE_BYTES * len(scale.vectors)
    edges = pairwise((VALUE_BYTES * batch.starts).tolist())
    return [
        digest
        + weight_sums[4 * c : 4 * c + 4]
        + vectors[size * c : size * (c + 1)]
        + energies[first:last]
        for c, (digest, (first, last)) in enumerate(zip(unpacked.digests, edges, strict=True))
    ]


def _n_points(packed: bytes, size: int) -> int:
    """Tell from the length of a state how many points went in; 0 if it is none."""
    n, rest = divmod(len(packed) - HEAD_BYTES - size, VALUE_BYTES)
    return n if n > 0 and not rest else 0


def _bytes(parts: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(parts), dtype=np.uint8)


@cached_for(UINT8S(FLOAT32S, FLOAT32S))
def _to_24_bits(values: Floats, scale: Floats) -> NDArray[np.uint8]:
    """Write rows of values, each between minus and plus its scale, in 3 bytes, the lowest first."""
    packed = np.empty(VALUE_BYTES * len(values), dtype=np.uint8)
    width = len(scale)
    for start in range(0, len(values), width):
        for j in range(width):
            share = np.float64(values[start + j]) / np.float64(scale[j])
            value = np.int64(np.rint(min(max(share, -1.0), 1.0) * _FULL_SCALE)) + _OFFSET
            for k in range(VALUE_BYTES):
                packed[VALUE_BYTES * (start + j) + k] = np.uint8(value >> 8 * k & 255)
    return packed


@cached_for(FLOAT32S(READONLY_UINT8S, FLOAT32S))
def _from_24_bits(packed: NDArray[np.uint8], scale: Floats) -> Floats:
    """Read what `_to_24_bits` wrote."""
    values = np.empty(len(packed) // VALUE_BYTES, dtype=np.float32)
    width = len(scale)
    for start in range(0, len(values), width):
        for j in range(width):
            value = np.int64(0)
            for k in range(VALUE_BYTES):
                value |= np.int64(packed[VALUE_BYTES * (start + j) + k]) << 8 * k
            values[start + j] = (value - _OFFSET) / _FULL_SCALE * scale[j]
    return values
