"""The poster's four networks against what FACTS of the poster say, and against slow oracles."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from broker_classifier.model.architectures import ARCHITECTURES, build_network
from broker_classifier.model.grid_input import Grid

POSTER = {"n_channels": 12, "n_classes": 9}
SMALL = {"n_channels": 4, "n_classes": 3}
GRID_NETWORKS = sorted(name for name, entry in ARCHITECTURES.items() if entry.input is Grid)


def network(name, seed=0, **config):
    torch.manual_seed(seed)
    net = build_network(name, SMALL | config)
    for module in net.modules():  # untrained statistics would hide a wrong use of them
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias)
    return net


def weights(net):
    return {name: tensor.double().numpy() for name, tensor in net.state_dict().items()}


def answer(net, grid):
    with torch.inference_mode():
        logits, attention = net(torch.from_numpy(grid).float())
    return logits.numpy(), None if attention is None else attention.numpy()


def expit(x):
    return 1 / (1 + np.exp(-x))


def slow_gru(rows, w, name):
    hidden, states = np.zeros(w[f"{name}.weight_hh_l0"].shape[1]), []
    for row in rows:
        of_input = w[f"{name}.weight_ih_l0"] @ row + w[f"{name}.bias_ih_l0"]
        of_hidden = w[f"{name}.weight_hh_l0"] @ hidden + w[f"{name}.bias_hh_l0"]
        (r_i, z_i, n_i), (r_h, z_h, n_h) = np.split(of_input, 3), np.split(of_hidden, 3)
        keep = expit(z_i + z_h)
        hidden = (1 - keep) * np.tanh(n_i + expit(r_i + r_h) * n_h) + keep * hidden
        states.append(hidden)
    return np.array(states)


def slow_norm(features, w, name):
    """Normalise the last axis by the running statistics."""
    scaled = (features - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def slow_trunk(rows, w):
    below = slow_norm(slow_gru(rows, w, "trunk.gru_0"), w, "trunk.norm_0")
    return slow_norm(slow_gru(below, w, "trunk.gru_1"), w, "trunk.norm_1")


def slow_convolution(features, w, name):
    """Convolve (L, n_in) without padding: (L - kernel + 1, n_out)."""
    kernel = w[f"{name}.weight"]  # (n_out, n_in, k)
    size = kernel.shape[2]
    windows = [features[t : t + size].T for t in range(len(features) - size + 1)]
    return np.array([(kernel * v).sum(axis=(1, 2)) for v in windows]) + w[f"{name}.bias"]


def slow_output(paired, w):
    return w["output.weight"] @ paired.ravel() + w["output.bias"]


def paired(features):
    return (features[:, ::2] + features[:, 1::2]) / 2


@pytest.mark.parametrize(
    ("name", "config", "n_parameters"),
    [
        ("gru", {}, 96_109),
        ("attentive_gru", {"attention": 50, "hops": 1}, 101_159),
        ("attentive_gru", {"attention": 50, "hops": 5}, 104_959),
        ("fcn", {"length": 128}, 342_217),
        ("resnet", {"length": 128}, 600_585),
    ],
)
def test_the_networks_have_the_parameters_of_the_posters(name, config, n_parameters):
    net = build_network(name, POSTER | config)
    assert sum(p.numel() for p in net.parameters()) == n_parameters


@pytest.mark.parametrize("n_rows", [1, 7, 64])
@pytest.mark.parametrize("hops", [1, 3])
def test_every_hop_adds_a_row_to_w2_and_a_context_to_the_output(n_rows, hops):
    few = build_network("attentive_gru", POSTER | {"attention": n_rows, "hops": hops})
    more = build_network("attentive_gru", POSTER | {"attention": n_rows, "hops": hops + 1})
    n_few, n_more = (sum(p.numel() for p in net.parameters()) for net in (few, more))
    assert n_more - n_few == n_rows + 9 * 100


@pytest.mark.parametrize("name", GRID_NETWORKS)
def test_a_batch_gives_what_each_grid_gives_alone(name):
    net, grid = network(name), np.random.default_rng(0).normal(size=(5, 128, 4))
    together, _ = answer(net, grid)
    assert together.shape == (5, 3)
    alone = np.concatenate([answer(net, cells[None])[0] for cells in grid])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_the_gru_answers_from_its_last_normalised_state():
    net, rows = network("gru", hidden=6), np.random.default_rng(1).normal(size=(20, 4))
    w = weights(net)
    expected = slow_output(slow_trunk(rows, w)[-1], w)
    np.testing.assert_allclose(answer(net, rows[None])[0][0], expected, atol=1e-5)


def test_the_attentive_gru_answers_from_softmax_averages_of_its_states():
    net = network("attentive_gru", hidden=6, attention=5, hops=2)
    rows, w = np.random.default_rng(2).normal(size=(20, 4)), weights(net)
    hidden = slow_trunk(rows, w)
    energy = np.tanh(hidden @ w["key.weight"].T) @ w["query.weight"].T  # (L, r)
    attention = np.exp(energy) / np.exp(energy).sum(axis=0)
    logits, of_cells = answer(net, rows[None])
    np.testing.assert_allclose(of_cells[0], attention.T, atol=1e-5)
    np.testing.assert_allclose(logits[0], slow_output(attention.T @ hidden, w), atol=1e-5)


def test_the_fcn_convolves_without_padding_and_averages_pairs_of_filters():
    net, rows = network("fcn", length=20), np.random.default_rng(3).normal(size=(20, 4))
    w, features = weights(net), rows
    for layer in (0, 3, 6):
        features = slow_convolution(features, w, f"convolutions.{layer}")
        features = np.maximum(slow_norm(features, w, f"convolutions.{layer + 1}"), 0)
    assert features.shape == (20 - 13, 128)
    expected = slow_output(paired(features), w)
    np.testing.assert_allclose(answer(net, rows[None])[0][0], expected, atol=1e-4)


def test_the_resnet_pads_on_the_right_and_skips_to_the_input_of_each_block():
    net, rows = network("resnet", length=10), np.random.default_rng(4).normal(size=(10, 4))
    w, features = weights(net), rows
    for block in ("blocks.0", "blocks.1", "blocks.2"):
        out = features
        for layer in (1, 5, 9):
            kernel = w[f"{block}.convolutions.{layer}.weight"].shape[2]
            out = np.pad(out, ((0, kernel - 1), (0, 0)))
            out = slow_convolution(out, w, f"{block}.convolutions.{layer}")
            out = slow_norm(out, w, f"{block}.convolutions.{layer + 1}")
            out = np.maximum(out, 0) if layer < 9 else out
        skip = slow_convolution(features, w, f"{block}.skip.0")
        features = np.maximum(out + slow_norm(skip, w, f"{block}.skip.1"), 0)
    expected = slow_output(paired(features), w)
    np.testing.assert_allclose(answer(net, rows[None])[0][0], expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", GRID_NETWORKS)
def test_only_the_attentive_gru_tells_where_it_looked(name):
    _, attention = answer(network(name), np.zeros((2, 128, 4)))
    assert (attention is None) == (name != "attentive_gru")


@pytest.mark.parametrize("name", GRID_NETWORKS)
def test_an_unknown_setting_is_refused(name):
    with pytest.raises(ValidationError, match="n_layers"):
        build_network(name, SMALL | {"n_layers": 3})


def test_a_grid_that_the_fcn_would_lose_is_refused():
    with pytest.raises(ValidationError, match="length"):
        build_network("fcn", SMALL | {"length": 13})
