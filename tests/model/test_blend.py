import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save

from broker_classifier.errors import BundleError
from broker_classifier.model.architectures import build_network
from broker_classifier.model.bundle import MEMBERS_FOLDER, WEIGHTS_FILE, load_bundle
from broker_classifier.model.calibration import node_shares
from broker_classifier.model.classify import classify
from broker_classifier.model.find_bundle import DESCRIPTION_FILE
from broker_classifier.model.networks.blend import N_POINTS
from broker_classifier.training.fit.write_bundle import made_up_curve
from tests.bundles import small_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blend")
    small_bundle(folder, architecture="blend")
    return folder


@pytest.fixture(scope="module")
def blend(folder):
    return load_bundle(folder)


@pytest.fixture(scope="module")
def curves(blend):
    return [made_up_curve(seed, blend.selection) for seed in range(6)]


def test_equal_weights_give_the_geometric_mean_of_the_members(blend, curves):
    of_members = [
        np.array([c.probabilities for c in classify(curves, member)]) for member in blend.members
    ]
    mean = np.sqrt(of_members[0] * of_members[1])
    expected = mean / mean.sum(axis=1, keepdims=True)
    joined = [c.probabilities for c in classify(curves, blend)]
    np.testing.assert_allclose(joined, expected, atol=1e-6)


def test_the_attention_is_that_of_the_member_that_has_some(blend, curves):
    for of_blend, of_network in zip(
        classify(curves, blend), classify(curves, blend.members[0]), strict=True
    ):
        np.testing.assert_allclose(of_blend.attention, of_network.attention, atol=1e-6)


def test_silence_is_heard_by_the_trees_alone(blend, curves):
    later = float(curves[0].mjd[-1]) + 40.0
    network, trees = blend.members
    for bundle, hears in ((network, False), (trees, True), (blend, True)):
        [at_once], [asked] = classify(curves[:1], bundle), classify(curves[:1], bundle, None, later)
        assert (at_once.probabilities != asked.probabilities).any() == hears


def test_a_member_that_was_exchanged_is_noticed(tmp_path):
    small_bundle(tmp_path, architecture="blend")
    small_bundle(tmp_path / MEMBERS_FOLDER / "boosted_trees", 1, architecture="boosted_trees")
    with pytest.raises(BundleError, match="member boosted_trees is another"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"members": {}}, "does not have the members"),
        ({"members": {"../members/streaming_attentive_gru": "x"}}, "members"),
        ({"classes": ["SNIa", "SNII", "TDE"]}, "has other classes"),
    ],
)
def test_a_blend_and_its_members_belong_together(tmp_path, change, complaint):
    small_bundle(tmp_path, architecture="blend")
    path = tmp_path / DESCRIPTION_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=complaint):
        load_bundle(tmp_path)


def test_trees_that_would_read_beyond_their_arrays_are_refused(tmp_path):
    bundle = small_bundle(tmp_path, architecture="boosted_trees")
    network = bundle.network
    for array, value in (("feature", 5000), ("child", 99)):
        changed = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        changed[array].view(-1)[0] = value
        weights = save(changed)
        (tmp_path / WEIGHTS_FILE).write_bytes(weights)
        described = json.loads((tmp_path / DESCRIPTION_FILE).read_text())
        described["weights_sha256"] = hashlib.sha256(weights).hexdigest()
        (tmp_path / DESCRIPTION_FILE).write_text(json.dumps(described))
        with pytest.raises(BundleError, match=r"a tree (asks|sends)"):
            load_bundle(tmp_path)


def test_states_of_another_kind_are_not_used(blend, curves):
    [plain] = classify(curves[:1], blend)
    for state in (b"x", b"\x05\x00\x00\x00short", bytes(40)):
        [with_state] = classify(curves[:1], blend, [state])
        np.testing.assert_array_equal(plain.probabilities, with_state.probabilities)


def test_weights_are_linear_in_ln_n_between_their_nodes():
    blend = build_network("blend", {"n_channels": 1, "n_classes": 2})
    random = np.random.default_rng(0)
    blend.weight.copy_(torch.from_numpy(random.random((len(N_POINTS), 2))))
    n_points = np.array([1, 2, 3, 7, 10, 29, 30, 31, 400])
    scores = random.normal(size=(2, len(n_points), 2))
    shares = node_shares(n_points, N_POINTS) @ blend.weight.numpy()
    expected = np.einsum("nm,mnk->nk", shares, scores)
    np.testing.assert_allclose(blend.joined(scores, n_points), expected)
