"""How the streaming network's steps are computed: by torch for many light curves, compiled for few.

Torch takes 0.15 ms a step before it computes anything, and then its matrix products are the
fastest; a loop compiled by numba takes 11 us a light curve and step from the first on. They agree
to 1e-5; `python -m tests.bench.bench_model` measures where they cross.
"""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from broker_classifier.compiled import (
    FLOAT32_ROWS,
    FLOAT32S,
    NOTHING,
    READONLY_INT64S,
    cached_for,
    compiled,
    tuple_of,
)
from broker_classifier.model.networks.streaming_attentive_gru import (
    ENERGY_BOUND,
    State,
    StreamingAttentiveGRU,
)

FEW = 32  # light curves; up to here the compiled loop is faster
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
_ENERGY_BOUND = np.float32(ENERGY_BOUND)
_NORM_EPSILON = np.float32(1e-5)  # torch.nn.LayerNorm's own
_ONE = np.float32(1.0)
_VECTOR = FLOAT32S
_MATRIX = FLOAT32_ROWS
_LAYER = tuple_of(_MATRIX, _VECTOR, _MATRIX, _VECTOR, _VECTOR, _VECTOR)


class Runtime(Protocol):
    """One way to compute a streaming network, with H hidden values, C channels and K classes."""

    def advance(self, state: Floats, rows: Floats, first: Integers, count: Integers) -> Floats:
        """Take n light curves through new points; `state` is brought up to date in place.

        Parameters
        ----------
        state : float32 array, shape (n, 3 H + 1)
            The parts of `State`, one after another.
        rows : float32 array, shape (n_rows, C)
        first, count : int arrays, shape (n,)
            Where in `rows` the new points of each light curve begin, and how many they are.

        Returns
        -------
        float32 array, shape (n_rows,)
            The energy of each row; 0 of those that belong to no light curve.
        """

    def answer(self, state: Floats) -> Floats:
        """Predict from states that have seen a point: logits, shape (n, K)."""


class TorchRuntime:
    """The network itself, one step of all light curves at a time."""

    def __init__(self, network: StreamingAttentiveGRU) -> None:
        self._network = network

    def advance(self, state: Floats, rows: Floats, first: Integers, count: Integers) -> Floats:
        """Do what `Runtime.advance` says."""
        energies = np.zeros(len(rows), dtype=np.float32)
        for k in range(int(count.max(initial=0))):
            going = np.flatnonzero(count > k)
            at = first[going] + k
            with torch.inference_mode():
                after, energy = self._network.advance(
                    _unpacked(state[going]), torch.from_numpy(rows[at])
                )
                state[going] = torch.cat(after, dim=1).numpy()
            energies[at] = energy.numpy()
        return energies

    def answer(self, state: Floats) -> Floats:
        """Do what `Runtime.answer` says."""
        with torch.inference_mode():
            logits: Floats = self._network.answer(_unpacked(state)).numpy()
        return logits


class CompiledRuntime:
    """The same in a compiled loop, one light curve after another."""

    def __init__(self, network: StreamingAttentiveGRU) -> None:
        layer_0 = _layer(network.gru_0, network.norm_0, network.embed)
        layer_1 = _layer(network.gru_1, network.norm_1)
        key, query = _array(network.key.weight.T), _array(network.query.weight[0])
        self._steps = layer_0, layer_1, key, query
        self._output = *layer_1[-2:], _array(network.output.weight.T), _array(network.output.bias)
        self._n_classes = network.config.n_classes

    def advance(self, state: Floats, rows: Floats, first: Integers, count: Integers) -> Floats:
        """Do what `Runtime.advance` says."""
        energies = np.zeros(len(rows), dtype=np.float32)
        _advance(state, rows, first, count, *self._steps, energies)
        return energies

    def answer(self, state: Floats) -> Floats:
        """Do what `Runtime.answer` says."""
        logits = np.empty((len(state), self._n_classes), dtype=np.float32)
        _answer(state, *self._output, logits)
        return logits


class FastestRuntime:
    """Torch while more than `FEW` light curves have points to take, the compiled loop after."""

    def __init__(self, network: StreamingAttentiveGRU) -> None:
        self._for_many, self._for_few = TorchRuntime(network), CompiledRuntime(network)

    def advance(self, state: Floats, rows: Floats, first: Integers, count: Integers) -> Floats:
        """Do what `Runtime.advance` says."""
        if len(count) <= FEW:
            return self._for_few.advance(state, rows, first, count)
        together = np.minimum(count, np.partition(count, -FEW - 1)[-FEW - 1])
        energies = self._for_many.advance(state, rows, first, together)
        return energies + self._for_few.advance(state, rows, first + together, count - together)

    def answer(self, state: Floats) -> Floats:
        """Do what `Runtime.answer` says."""
        return (self._for_few if len(state) <= FEW else self._for_many).answer(state)


def _unpacked(state: Floats) -> State:
    width = state.shape[1] // 3
    return State(*torch.split(torch.from_numpy(state), [width, width, width, 1], dim=1))


def _layer(
    gru: nn.GRU, norm: nn.LayerNorm, embed: nn.Linear | None = None
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Take out a layer's weights: matrices (inputs, 3 H), with the linear map before them."""
    weights = dict(gru.named_parameters())
    into, shift = weights["weight_ih_l0"].double(), weights["bias_ih_l0"].double()
    if embed is not None:
        into, shift = into @ embed.weight.double(), into @ embed.bias.double() + shift
    return (
        _array(into.T),
        _array(shift),
        _array(weights["weight_hh_l0"].T),
        _array(weights["bias_hh_l0"]),
        _array(norm.weight),
        _array(norm.bias),
    )


def _array(weight: torch.Tensor) -> Floats:
    return np.ascontiguousarray(weight.detach().numpy(), dtype=np.float32)


@compiled
def _add_product(values: Floats, matrix: Floats, into: Floats) -> None:
    """Add the product of a vector and a matrix, four rows at a time."""
    n_rows, n_columns = matrix.shape
    in_fours = n_rows - n_rows % 4
    for i in range(0, in_fours, 4):
        a, b, c, d = values[i], values[i + 1], values[i + 2], values[i + 3]
        row_a, row_b, row_c, row_d = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        for j in range(n_columns):
            into[j] += a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
    for i in range(in_fours, n_rows):
        for j in range(n_columns):
            into[j] += values[i] * matrix[i, j]


@compiled
def _normalise(values: Floats, gain: Floats, shift: Floats, out: Floats) -> None:
    n = np.float32(len(values))
    mean = variance = np.float32(0.0)
    for j in range(len(values)):
        mean += values[j] / n
    for j in range(len(values)):
        variance += (values[j] - mean) ** 2 / n
    scale = _ONE / np.sqrt(variance + _NORM_EPSILON)
    for j in range(len(values)):
        out[j] = (values[j] - mean) * scale * gain[j] + shift[j]


@compiled
def _step(
    values: Floats, hidden: Floats, layer: Any, gates: Floats, recurrent: Floats, out: Floats
) -> None:
    """Take one step of a GRU in place, and normalise what it comes to."""
    from_input, input_shift, from_hidden, hidden_shift, gain, shift = layer
    width = len(hidden)
    gates[:] = input_shift
    recurrent[:] = hidden_shift
    _add_product(values, from_input, gates)
    _add_product(hidden, from_hidden, recurrent)
    for j in range(2 * width):  # reset gates, then update gates
        gates[j] = _ONE / (_ONE + np.exp(-gates[j] - recurrent[j]))
    for j in range(width):
        new = np.tanh(gates[2 * width + j] + gates[j] * recurrent[2 * width + j])
        hidden[j] = new + gates[width + j] * (hidden[j] - new)
    _normalise(hidden, gain, shift, out)


@cached_for(
    NOTHING(
        _MATRIX,
        _MATRIX,
        READONLY_INT64S,
        READONLY_INT64S,
        _LAYER,
        _LAYER,
        _MATRIX,
        _VECTOR,
        _VECTOR,
    )
)
def _advance(
    state: Floats,
    rows: Floats,
    first: Integers,
    count: Integers,
    layer_0: Any,
    layer_1: Any,
    key: Floats,
    query: Floats,
    energies: Floats,
) -> None:
    width = len(layer_0[-1])
    gates, recurrent = np.empty(3 * width, np.float32), np.empty(3 * width, np.float32)
    normed, keys = np.empty(width, np.float32), np.empty(len(query), np.float32)
    for c in range(len(count)):
        of_curve = state[c]
        context = of_curve[2 * width : 3 * width]
        for at in range(first[c], first[c] + count[c]):
            _step(rows[at], of_curve[:width], layer_0, gates, recurrent, normed)
            _step(normed, of_curve[width : 2 * width], layer_1, gates, recurrent, normed)
            keys[:] = 0.0
            _add_product(normed, key, keys)
            unbounded = np.float32(0.0)
            for j in range(len(query)):
                unbounded += query[j] * np.tanh(keys[j])
            energies[at] = _ENERGY_BOUND * np.tanh(unbounded / _ENERGY_BOUND)
            weight = np.exp(energies[at])
            of_curve[3 * width] += weight
            share = weight / of_curve[3 * width]
            for j in range(width):
                context[j] += share * (normed[j] - context[j])


@cached_for(NOTHING(_MATRIX, _VECTOR, _VECTOR, _MATRIX, _VECTOR, _MATRIX))
def _answer(
    state: Floats, gain: Floats, shift: Floats, output: Floats, bias: Floats, logits: Floats
) -> None:
    width = len(gain)
    features = np.empty(2 * width, np.float32)
    for c in range(len(state)):
        features[:width] = state[c, 2 * width : 3 * width]
        _normalise(state[c, width : 2 * width], gain, shift, features[width:])
        logits[c] = bias
        _add_product(features, output, logits[c])
