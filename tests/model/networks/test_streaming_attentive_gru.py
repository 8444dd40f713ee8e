import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from broker_classifier.model.architectures import build_network

CONFIG = {"n_channels": 5, "n_classes": 3, "hidden": 16, "attention": 8}


def network(seed=0):
    torch.manual_seed(seed)
    return build_network("streaming_attentive_gru", CONFIG)


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 60))
def test_steps_agree_with_the_replay(seed, length):
    net = network(seed)
    inputs = 3 * torch.randn(2, length, 5)
    with torch.inference_mode():
        logits, energies = net(inputs)
        state = net.initial_state(2)
        for t in range(length):
            state, logit, energy = net.step(state, inputs[:, t])
            torch.testing.assert_close(logit, logits[:, t], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(energy, energies[:, t], atol=1e-5, rtol=1e-5)


def test_the_context_is_the_softmax_average_of_the_hidden_states():
    net = network()
    inputs = torch.randn(1, 7, 5)
    with torch.inference_mode():
        logits, energies = net(inputs)
        below = net.norm_0(net.gru_0(net.embed(inputs))[0])
        hidden = net.norm_1(net.gru_1(below)[0])[0]
        context = torch.softmax(energies[0], dim=0) @ hidden
        expected = net.output(torch.cat([context, hidden[-1]]))
    torch.testing.assert_close(logits[0, -1], expected, atol=1e-5, rtol=1e-5)


def test_later_steps_do_not_reach_earlier_ones():
    net = network()
    inputs = torch.randn(1, 9, 5)
    with torch.inference_mode():
        whole, part = net(inputs)[0], net(inputs[:, :4])[0]
    torch.testing.assert_close(whole[:, :4], part, atol=1e-6, rtol=1e-6)


def test_huge_inputs_do_not_overflow_the_running_softmax():
    net = network()
    with torch.inference_mode():
        logits, _ = net(1e4 * torch.randn(1, 2000, 5))
    assert torch.isfinite(logits).all()


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="n_layers"):
        build_network("streaming_attentive_gru", CONFIG | {"n_layers": 3})
