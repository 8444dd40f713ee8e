from pathlib import Path

import numpy as np
import pytest

from broker_classifier.errors import ConfigError
from broker_classifier.model.bundle import MEMBERS_FOLDER, load_bundle
from broker_classifier.training.baselines import baselines
from broker_classifier.training.judge.cuts import FULL
from broker_classifier.training.judge.judged_objects import read_judged
from broker_classifier.training.judge.paired import figures_at
from broker_classifier.training.judge.predictions import predict
from broker_classifier.training.recipe import read_recipe
from broker_classifier.training.train import train
from tests.training.synthetic import CLASSES, write_data_set

SMALL = Path(__file__).with_name("small.toml")
SIZES = "[network]\nhidden = 24\nattention = 8\ndropout = 0.0\n"
TREES = """
extends = "common.toml"
name = "small-trees"
architecture = "boosted_trees"

[trees]
rounds = 20
models = 1
min_rows_of_leaf = 10
"""
BLEND = """
extends = "common.toml"
name = "small-blend"
architecture = "blend"

[members]
network = "small.toml"
trees = "small-trees.toml"
"""


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    common = SMALL.read_text().replace(SIZES, "").replace("epochs = 12", "epochs = 8")
    (folder / "common.toml").write_text(common)
    (folder / "small.toml").write_text(f'extends = "common.toml"\n{SIZES}')
    (folder / "small-trees.toml").write_text(TREES)
    (folder / "small-blend.toml").write_text(BLEND)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "made-up", n_objects=240)


@pytest.fixture(scope="module")
def folder(recipes, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    train(recipes / "small-blend.toml", data, folder, seed=1, has_card=False)
    return folder


def test_trees_and_blend_have_learned(folder, data):
    judged = read_judged(folder, data, "test")
    for bundle in (judged.bundle, judged.bundle.members[1]):
        at_the_end = predict(judged.examples, bundle)[FULL]
        assert figures_at(at_the_end, CLASSES).balanced_accuracy > 0.8, bundle.name  # chance is 1/3


def test_a_blend_holds_its_members_by_their_names(folder):
    members = load_bundle(folder).members
    assert [m.name for m in members] == ["small", "small-trees"]
    assert [m.description.architecture for m in members] == [
        "streaming_attentive_gru",
        "boosted_trees",
    ]


def test_the_weights_of_members_are_positive(folder):
    weight = load_bundle(folder).network.weight.numpy()
    assert (weight > 0).all()
    assert 0.5 < weight.sum(axis=1).mean() < 3.0


def test_the_same_seed_grows_the_same_trees(recipes, data, folder, tmp_path):
    again = train(recipes / "small-trees.toml", data, tmp_path, seed=1, has_card=False)
    first = load_bundle(folder / MEMBERS_FOLDER / "trees")
    np.testing.assert_array_equal(again.network.forest.value, first.network.forest.value)


def test_complete_members_are_kept(recipes, data, folder):
    """The members of a fold are not trained again, whatever becomes of the blend."""
    hashes = [m.hash for m in load_bundle(folder).members]
    lines = []
    train(
        *(recipes / "small-blend.toml", data, folder, 1, lines.append),
        overwrite=True,
        has_card=False,
    )
    assert [m.hash for m in load_bundle(folder).members] == hashes
    assert not [line for line in lines if line.startswith("epoch")]


def test_members_of_another_fold_are_refused(recipes, data, folder):
    with pytest.raises(ConfigError, match=r"fold 0, not small 0\.1\.0, fold 1"):
        train(recipes / "small-blend.toml", data, folder, overwrite=True, fold=1)


def test_a_member_of_other_classes_is_refused_before_any_is_trained(recipes, data, tmp_path):
    for path in recipes.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    trees = tmp_path / "small-trees.toml"
    trees.write_text(trees.read_text().replace("[trees]", 'classes = ["SNIa", "AGN"]\n[trees]'))
    with pytest.raises(ConfigError, match=r"members\.trees: .*small-trees\.toml has other classes"):
        train(tmp_path / "small-blend.toml", data, tmp_path / "bundle", has_card=False)
    assert not (tmp_path / "bundle").exists()


def test_a_blend_is_compared_with_its_members(folder, data, tmp_path):
    (tmp_path / "fold-0").symlink_to(folder)
    text = baselines(tmp_path, data, tmp_path / "BASELINES.md")
    assert (tmp_path / "BASELINES.md").read_text() == text
    for row in ("| balanced accuracy, network |", "| log loss, blend |", "| blend minus trees |"):
        assert row in text


def test_baselines_are_of_a_blend(folder, data, tmp_path):
    with pytest.raises(ConfigError, match="no folder fold-0"):
        baselines(tmp_path, data, tmp_path / "BASELINES.md")
    (tmp_path / "fold-0").symlink_to(folder / MEMBERS_FOLDER / "trees")
    with pytest.raises(ConfigError, match="is no blend"):
        baselines(tmp_path, data, tmp_path / "BASELINES.md")


@pytest.mark.parametrize(
    ("old", "new"),
    [('trees = "small-trees.toml"', ""), ('architecture = "blend"', 'architecture = "fcn"')],
)
def test_a_blend_has_members_and_no_other_has(recipes, old, new, tmp_path):
    (tmp_path / "common.toml").write_text((recipes / "common.toml").read_text())
    path = tmp_path / "small-blend.toml"
    path.write_text(BLEND.replace(old, new))
    with pytest.raises(ConfigError, match="members: a blend has two or more"):
        read_recipe(path)
