import numpy as np
import pytest
import torch

from broker_classifier.model.architectures import build_network
from broker_classifier.training.fit.fit_state import WARM_UP_STEPS, FitState
from broker_classifier.training.recipe_tables import Optimisation

SMALL = {"n_channels": 3, "n_classes": 2, "hidden": 4, "attention": 2, "dropout": 0.0}


def fitted(averaging_epochs, n_steps, **settings):
    """Follow a made-up loss; give the state and the weights after each step, (n_steps, n)."""
    torch.manual_seed(0)
    network = build_network("streaming_attentive_gru", SMALL)
    settings = Optimisation(epochs=n_steps + 1, averaging_epochs=averaging_epochs, **settings)
    state, followed = FitState(network, settings, 1, seed=0), []
    for _ in range(n_steps):
        logits, _ = network(torch.randn(5, 6, 3))
        state.step(logits.square().mean())
        followed.append(flat(network))
    return state, np.array(followed)


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()]).numpy()


def test_the_weights_judged_are_the_mean_of_those_passed_the_newest_counting_most():
    state, followed = fitted(4.0, 60)
    kept = [max(1 / 4, WARM_UP_STEPS / (n + WARM_UP_STEPS)) for n in range(1, 61)]
    forgotten = [np.prod([1 - k for k in kept[n + 1 :]]) for n in range(60)]
    share = np.array(kept) * forgotten
    assert share.sum() == pytest.approx(1, abs=1e-6)
    assert flat(state.judged) == pytest.approx(share @ followed, abs=1e-6)
    assert np.abs(flat(state.judged) - followed[-1]).max() > 1e-4


def test_without_averaging_the_weights_themselves_are_judged():
    state, followed = fitted(0.0, 5)
    assert state.judged is state.network
    assert flat(state.judged).tolist() == followed[-1].tolist()


def test_the_training_goes_the_same_way_whether_averages_are_kept_or_not():
    assert fitted(4.0, 10)[1].tolist() == fitted(0.0, 10)[1].tolist()


def test_the_recurrent_layers_of_the_averaged_network_are_laid_in_one_piece(monkeypatch):
    flattened = set()

    def flatten(layer):  # the true one does something on a GPU only
        flattened.add(id(layer))

    monkeypatch.setattr(torch.nn.GRU, "flatten_parameters", flatten)
    state, _ = fitted(4.0, 0)
    layers = [m for m in state.judged.modules() if isinstance(m, torch.nn.GRU)]
    assert len(layers) == 2
    assert {id(layer) for layer in layers} <= flattened


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_averaged_network_answers_on_a_gpu_without_a_warning():
    network = build_network("streaming_attentive_gru", SMALL).to("cuda")
    state = FitState(network, Optimisation(epochs=2, averaging_epochs=4.0), 1, seed=0)
    state.step(network(torch.randn(5, 6, 3, device="cuda"))[0].square().mean())
    state.judged.eval()
    with torch.inference_mode():  # warnings are errors here
        state.judged(torch.randn(5, 6, 3, device="cuda"))


@pytest.mark.parametrize(("kept_epoch", "kept"), [("best", 0), ("last", 1)])
def test_the_averaged_weights_of_the_best_or_of_the_last_epoch_are_kept(kept_epoch, kept):
    state, _ = fitted(4.0, 20, kept_epoch=kept_epoch)
    judged = [flat(state.judged).tolist()]
    state.judge(0.5)
    state.step(sum(p.square().sum() for p in state.network.parameters()))
    judged.append(flat(state.judged).tolist())
    state.judge(0.4)
    state.leave_at_best()
    assert judged[0] != judged[1]
    assert flat(state.network).tolist() == judged[kept]
