"""The runtimes of the streaming network against its `forward`, which knows no state."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.model.architectures import build_network
from broker_classifier.model.networks.streaming_runtimes import (
    FEW,
    CompiledRuntime,
    FastestRuntime,
    TorchRuntime,
)

RUNTIMES = [TorchRuntime, CompiledRuntime, FastestRuntime]
SIZES = st.tuples(
    st.integers(1, 9),  # channels
    st.integers(2, 7),  # classes
    st.integers(1, 21),  # hidden
    st.integers(1, 9),  # attention
)


def network(sizes, seed):
    torch.manual_seed(seed)
    names = ("n_channels", "n_classes", "hidden", "attention")
    net = build_network("streaming_attentive_gru", dict(zip(names, sizes, strict=True)))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))  # norms and biases too
    return net


def by_forward(net, curves):
    """Logits after the last point, and energies of all points, of each light curve."""
    with torch.inference_mode():
        answers = [net(torch.from_numpy(rows)[None]) for rows in curves]
    return np.stack([logits[0, -1] for logits, _ in answers]), [e[0].numpy() for _, e in answers]


@pytest.mark.parametrize("runtime", RUNTIMES)
@settings(deadline=None, max_examples=40)
@given(SIZES, st.integers(0, 1000), st.lists(st.integers(1, 12), min_size=1, max_size=2 * FEW))
def test_it_gives_what_the_network_gives_in_one_or_two_parts(runtime, sizes, seed, lengths):
    net, rng = network(sizes, seed), np.random.default_rng(seed)
    curves = [rng.normal(size=(n, sizes[0])).astype(np.float32) for n in lengths]
    logits, energies = by_forward(net, curves)
    computed = runtime(net)
    state = np.zeros((len(curves), 3 * sizes[2] + 1), dtype=np.float32)
    halves = [rng.integers(0, n + 1) for n in lengths]
    pieces = [(curve[:half], curve[half:]) for curve, half in zip(curves, halves, strict=True)]
    advanced = [np.zeros(0, dtype=np.float32)] * len(curves)
    for part in range(2):
        rows = [piece[part] for piece in pieces]
        count = np.array([len(each) for each in rows])
        first = np.cumsum(count) - count
        given_back = computed.advance(state, np.concatenate(rows), first, count)
        advanced = [
            np.append(before, given_back[a : a + n])
            for before, a, n in zip(advanced, first, count, strict=True)
        ]
    np.testing.assert_allclose(np.concatenate(advanced), np.concatenate(energies), atol=2e-5)
    np.testing.assert_allclose(computed.answer(state), logits, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_rows_of_no_light_curve_are_not_looked_at(runtime):
    net = network((4, 3, 8, 5), 0)
    rows = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    with_strangers = rows.copy()
    with_strangers[[0, 5]] = np.nan
    states = np.zeros((2, 2, 25), dtype=np.float32)
    energies = [
        runtime(net).advance(state, given_rows, np.array([1, 3]), np.array([2, 2]))
        for state, given_rows in zip(states, (rows, with_strangers), strict=True)
    ]
    np.testing.assert_array_equal(*states)
    np.testing.assert_array_equal(*energies)
    assert energies[0][[0, 5]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_huge_inputs_stay_finite(runtime):
    net = network((4, 3, 8, 5), 1)
    rows = (1e6 * np.random.default_rng(0).normal(size=(500, 4))).astype(np.float32)
    state = np.zeros((1, 25), dtype=np.float32)
    energies = runtime(net).advance(state, rows, np.array([0]), np.array([500]))
    assert np.isfinite(energies).all()
    assert np.isfinite(state).all()
    assert np.isfinite(runtime(net).answer(state)).all()
