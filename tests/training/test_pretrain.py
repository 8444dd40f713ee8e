"""Pretraining: what the network learned before is where the training begins."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from broker_classifier.bundle import load_bundle
from broker_classifier.errors import ConfigError, DataError
from broker_classifier.training.homogenise import Homogenisation
from broker_classifier.training.objects import read_objects
from broker_classifier.training.pretrain import pretrained_network
from broker_classifier.training.recipe import read_recipe
from broker_classifier.training.run import Run
from broker_classifier.training.train import train
from tests.training.noises import plain_noise
from tests.training.synthetic import ALERT_SOURCE, CLASSES, write_data_set

SMALL = Path(__file__).with_name("small.toml")
RULES = Homogenisation(alert_sources=(ALERT_SOURCE,), noise=plain_noise())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "near", n_objects=120)


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    folder = write_data_set(tmp_path_factory.mktemp("data") / "deep", n_objects=120, prefix="deep")
    table = pd.read_csv(folder / "objects.csv")
    table = table[table["label"] != "AGN"].assign(redshift=0.1).drop(columns="source_repo")
    table.to_csv(folder / "objects.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def recipe_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    text = SMALL.read_text().replace("epochs = 12", "epochs = 1")
    path.write_text(text + "[pretraining]\nepochs = 2\nstand_ins = { gr = 1.0 }\n")
    return path


def begun(deep, data, recipe_path, folder, told, **how):
    near = read_objects(data, CLASSES)
    run = Run(folder, seed=1, report=told.append, **how)
    return pretrained_network(deep, near, RULES, read_recipe(recipe_path), run).state_dict()


def test_the_network_keeps_what_it_has_learned_but_for_the_last_layer(
    deep, data, recipe_path, tmp_path
):
    told = []
    learned = begun(deep, data, recipe_path, tmp_path, told)
    kept = torch.load(tmp_path / "pretraining" / "checkpoint.pt")["state"]["best"]
    assert kept["output.weight"].shape[0] == 2  # no AGN among them
    assert learned["output.weight"].shape[0] == len(CLASSES)
    same = [name for name in kept if torch.equal(kept[name], learned[name])]
    assert set(kept) - set(same) == {"output.weight", "output.bias"}
    assert any(line.startswith("pretraining: ") for line in told)

    resumed = begun(deep, data, recipe_path, tmp_path, told := [], resumes=True)
    assert not any(line.startswith("epoch") for line in told)
    assert all(torch.equal(resumed[name], learned[name]) for name in learned)


def test_without_data_for_it_the_network_is_random_and_that_is_said(data, recipe_path, tmp_path):
    first = begun(None, data, recipe_path, tmp_path, told := [])
    again = begun(None, data, SMALL, tmp_path, silent := [])
    assert ["random weights" in line for line in told] == [True]
    assert silent == []
    assert first.keys() == again.keys()


def test_a_bundle_says_what_it_was_pretrained_on(deep, data, recipe_path, tmp_path):
    train(recipe_path, data, tmp_path, pretraining=deep)
    record = load_bundle(tmp_path).description.training
    assert (record.pretraining, record.data) == ("deep", "near")
    assert "pretrained on `deep`" in (tmp_path / "README.md").read_text()
    assert not list(tmp_path.rglob("checkpoint.pt"))


def test_data_for_a_recipe_without_pretraining_are_refused(deep, data, tmp_path):
    with pytest.raises(ConfigError, match=r"small has no \[pretraining\]"):
        begun(deep, data, SMALL, tmp_path, [])


def test_data_without_redshifts_are_refused(data, recipe_path, tmp_path):
    with pytest.raises(DataError, match="near has no two classes of supernovae with redshifts"):
        begun(data, data, recipe_path, tmp_path, [])


def test_stand_ins_must_be_as_many_as_the_bands(recipe_path, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_path.read_text().replace("gr = 1.0", "gri = 1.0"))
    with pytest.raises(ConfigError, match="'gri' are not 2 bands of ugrizy"):
        read_recipe(path)
