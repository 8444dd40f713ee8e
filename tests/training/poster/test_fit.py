"""The poster's training loop."""

import numpy as np
import pytest
import torch

from broker_classifier.model.architectures import build_network
from broker_classifier.training.poster.fit import Part, decisions, fit

LOOP = {"epochs": 6, "batch": 20, "learning_rate": 0.01, "seed": 3}


def part(n, seed, noise=0.5):
    """Three classes: the level of the first channel."""
    random = np.random.default_rng(seed)
    target = random.integers(0, 3, n)
    inputs = random.normal(0, noise, (n, 16, 4))
    inputs[:, :, 0] += target[:, None] - 1.0
    return Part(inputs.astype(np.float32), target)


def network(name="gru"):
    torch.manual_seed(0)
    sizes = {"n_channels": 4, "n_classes": 3}
    return build_network(name, sizes | ({"hidden": 8} if "gru" in name else {"length": 16}))


@pytest.mark.parametrize("name", ["gru", "attentive_gru", "resnet", "fcn"])
@pytest.mark.parametrize("bfloat16", [False, True])
def test_every_model_learns_what_is_plain(name, bfloat16):
    net = network(name)
    best = fit(net, part(120, 0), part(60, 1), **LOOP, bfloat16=bfloat16)
    test = part(200, 2)
    assert (decisions(net, test.inputs) == test.target).mean() > 0.9
    assert 1 <= best.epoch <= 6
    assert {p.dtype for p in net.parameters()} == {torch.float32}


def test_the_best_epoch_is_kept_not_the_last():
    validation = part(40, 1, noise=3.0)
    net = network()
    best = fit(net, part(120, 0, noise=3.0), validation, **{**LOOP, "epochs": 15})
    accuracy = (decisions(net, validation.inputs) == validation.target).mean()
    assert accuracy == pytest.approx(best.accuracy)
    assert best.epoch < 15


def test_the_same_seed_trains_the_same_weights():
    first, second = network(), network()
    for net in (first, second):
        torch.manual_seed(5)
        fit(net, part(60, 0), part(30, 1), **LOOP)
    for name, weights in first.state_dict().items():
        torch.testing.assert_close(weights, second.state_dict()[name], rtol=0, atol=0)
