"""Used points of light curves to logits and attention, taking up where the last call ended."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import (
    FLOAT32S,
    FLOAT64S,
    INT64,
    INT64S,
    READONLY_INT64S,
    cached_for,
    tuple_of,
)
from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.encoder import Encoded
from broker_classifier.model.encoder_state import Scale, pack, unpack
from broker_classifier.model.networks.streaming_attentive_gru import (
    ENERGY_BOUND,
    StreamingAttentiveGRU,
)
from broker_classifier.model.networks.streaming_runtimes import FastestRuntime
from broker_classifier.model.point_input import Normalisation, channels


class StreamingEncoder:
    """A streaming network with the preparation of its input; one step a new point.

    Parameters
    ----------
    network : StreamingAttentiveGRU
    bands : sequence of str
        Letters of the bundle's bands.
    normalisation : Normalisation
    bundle_hash : str
        Stands for all that decides what the network makes of points.
    """

    hears_silence = False

    def __init__(
        self,
        network: StreamingAttentiveGRU,
        bands: Sequence[str],
        normalisation: Normalisation,
        bundle_hash: str,
    ) -> None:
        self._runtime = FastestRuntime(network)
        self._bands, self._normalisation = bands, normalisation
        self._key = sha256(bundle_hash.encode()).digest()
        self._scale = _largest_magnitudes(network)

    def encode(
        self,
        batch: CurveBatch,
        encoder_states: Sequence[bytes] | None = None,
        silence_days: NDArray[np.float64] | None = None,
    ) -> Encoded:
        """Do what `Encoder.encode` says."""
        states = encoder_states if encoder_states is not None else [b""] * len(batch)
        unpacked = unpack(states, batch, self._key, self._scale)
        n_done, state = unpacked.n_done, unpacked.state
        rows = channels(batch, self._bands, self._normalisation, n_done)
        first_row, n_new, is_new = new_points(batch.starts, n_done, len(rows))
        unpacked.energies[is_new] = self._runtime.advance(state, rows, first_row, n_new)
        attention = softmax_of_each(unpacked.energies, batch.starts)
        logits = self._runtime.answer(state)
        return Encoded(logits, attention, pack(unpacked, batch, self._scale))


@cached_for(tuple_of(INT64S, INT64S, INT64S)(READONLY_INT64S, INT64S, INT64))
def new_points(
    starts: NDArray[np.int64], n_done: NDArray[np.int64], n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find what is new in n light curves.

    Returns
    -------
    first_row, n_new : int array, shape (n,)
        Where among the rows of all new points those of each light curve begin, and how many.
    is_new : int array, shape (n_rows,)
        Positions of the new points among all.
    """
    n = len(n_done)
    first_row, n_new = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    is_new = np.empty(n_rows, dtype=np.int64)
    row = 0
    for c in range(n):
        first_row[c] = row
        for i in range(starts[c] + n_done[c], starts[c + 1]):
            is_new[row] = i
            row += 1
        n_new[c] = row - first_row[c]
    return first_row, n_new, is_new


@cached_for(FLOAT64S(FLOAT32S, READONLY_INT64S))
def softmax_of_each(
    energies: NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Turn the energies of n light curves, one after another, into weights; each sums to 1."""
    weights = np.exp(energies.astype(np.float64))  # the energies are bounded
    for c in range(len(starts) - 1):
        of_curve = weights[starts[c] : starts[c + 1]]
        of_curve /= of_curve.sum()
    return weights


def _largest_magnitudes(network: StreamingAttentiveGRU) -> Scale:
    """Bound the values of a state: tanh of GRUs by 1, means of a layer norm's output by its own."""
    width = network.config.hidden
    gain = network.norm_1.weight.abs().max().item()
    shift = network.norm_1.bias.abs().max().item()
    vectors = np.ones(3 * width, dtype=np.float32)
    vectors[2 * width :] = np.sqrt(width) * gain + shift
    return Scale(vectors, np.array([ENERGY_BOUND], dtype=np.float32))
