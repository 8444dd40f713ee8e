"""Any grid network trains from a recipe, and its bundle is judged and served as it was trained."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from broker_classifier.errors import ConfigError
from broker_classifier.light_curve import LightCurve
from broker_classifier.model.bundle import load_bundle
from broker_classifier.model.classify import classify
from broker_classifier.training.data.labelled_objects import read_objects
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.fit.grid_loss import grid_loss
from broker_classifier.training.fit.prefix_weights import rank_weights
from broker_classifier.training.fit.write_bundle import made_up_curve
from broker_classifier.training.homogenise.examples import make_examples
from broker_classifier.training.homogenise.homogenisation import read_homogenisation
from broker_classifier.training.judge.predictions import predict
from broker_classifier.training.recipe import read_recipe
from broker_classifier.training.train import train
from tests.bundles import GRID_ARCHITECTURES
from tests.training.synthetic import write_data_set

SMALL = (Path(__file__).parents[1] / "small.toml").read_text()
SIZES = {
    "attentive_gru": "hidden = 16\nattention = 8\nhops = 2",
    "gru": "hidden = 16",
    "fcn": "dropout = 0.1",
    "resnet": "",
}


PLAIN = "scale_probability = 0.0\ndrop_probability = 0.0\nhard_cut_probability = 0.0"
INPUT = 'length = 24\nscaling = "arcsinh"'


def grid_recipe(folder, architecture, normalisation=INPUT, epochs=2):
    top = SMALL.split("[network]")[0]
    path = folder / "recipe.toml"
    path.write_text(
        f'architecture = "{architecture}"\n{top}\n[normalisation]\n{normalisation}\n'
        f"[network]\n{SIZES[architecture]}\n[augmentation]\n{PLAIN}\n[optimisation]\n"
        f"epochs = {epochs}\nbatch = 16\nlearning_rate = 0.005\nprefix_decay = 0.0\n"
    )
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "made-up", n_objects=120)


@pytest.fixture(scope="module", params=GRID_ARCHITECTURES)
def folder(request, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    train(grid_recipe(folder, request.param), data, folder / "bundle", seed=1)
    return folder / "bundle"


def test_a_trained_bundle_loads_and_is_judged_on_its_test_objects(folder):
    bundle, metrics = load_bundle(folder), json.loads((folder / "metrics.json").read_text())
    assert bundle.description.input.model_dump()["length"] == 24
    assert (metrics["split"], metrics["bundle"]["hash"]) == ("test", bundle.hash)
    assert bundle.name in (folder / "README.md").read_text()


def test_a_grid_network_learns_to_tell_classes(tmp_path):
    data = write_data_set(tmp_path / "made-up", n_objects=240)
    recipe = grid_recipe(tmp_path, "gru", f"{INPUT}\nhas_age = true", epochs=20)
    train(recipe, data, tmp_path / "bundle", seed=1)
    metrics = evaluate(tmp_path / "bundle", data, tmp_path / "report", "all").metrics
    assert metrics["full"]["balanced_accuracy"] > 0.5  # chance is 1/3; seeds 1 to 3: .55 to .73


def test_an_evaluation_says_what_classify_says(data, folder):
    bundle = load_bundle(folder)
    objects = read_objects(data, bundle.classes)[:40]
    examples = make_examples(objects, read_homogenisation(folder), bundle.selection, bundle.classes)
    (predictions,) = [p for c, p in predict(examples, bundle).items() if c.value == "3"]
    first_three = [LightCurve(e.curves[0].points[:3]) for e in examples if len(e.curves[0]) >= 3]
    expected = [c.probabilities for c in classify(first_three, bundle) if c is not None]
    np.testing.assert_allclose(predictions.probabilities, expected, atol=1e-4)


def test_one_drawn_prefix_estimates_the_loss_over_all(data, tmp_path):
    recipe = read_recipe(grid_recipe(tmp_path, "gru"))
    curve = made_up_curve(7, recipe.selection)
    target, weight = torch.tensor([1]), torch.tensor([2.0])
    stub_logits = torch.linspace(-1.0, 2.0, len(curve))  # what the stub says of each prefix length

    class Stub(torch.nn.Module):
        def forward(self, inputs):
            n = lengths[float(inputs[0, -1, -1])]
            return torch.tensor([[0.0, stub_logits[n - 1], 0.0]]), None

    recipe = recipe.model_copy(
        update={"normalisation": recipe.normalisation.model_copy(update={"has_age": True})}
    )
    one_band = LightCurve(curve.points[:: len(recipe.selection.bands)])
    ages = np.log1p(one_band.mjd - one_band.mjd[0]).astype(np.float32)
    lengths = {float(age): n + 1 for n, age in enumerate(ages)}
    random = np.random.default_rng(0)
    drawn = [
        float(grid_loss(Stub(), [one_band], target, weight, recipe, random)) for _ in range(4000)
    ]
    weights = rank_weights(len(one_band), recipe.optimisation.prefix_decay)
    each = [
        -float(torch.log_softmax(torch.tensor([0.0, s, 0.0]), 0)[1])
        for s in stub_logits[: len(one_band)]
    ]
    assert np.mean(drawn) == pytest.approx(2.0 * float(weights @ each), rel=0.05)


@pytest.mark.parametrize(
    ("architecture", "normalisation", "complaint"),
    [
        ("gru", "flux_scale_njy = 2e4", "gru takes length"),
        ("fcn", "length = 10", "length"),
        ("resnet", "cells = 10", "cells|resnet takes"),
    ],
)
def test_a_recipe_with_an_input_that_does_not_fit_is_refused(
    tmp_path, architecture, normalisation, complaint
):
    with pytest.raises(ConfigError, match=complaint):
        read_recipe(grid_recipe(tmp_path, architecture, normalisation=normalisation))


def test_a_grid_network_gets_the_posters_grid_by_default(tmp_path):
    path = grid_recipe(tmp_path, "fcn")
    text = path.read_text().replace('[normalisation]\nlength = 24\nscaling = "arcsinh"', "")
    path.write_text(text)
    recipe = read_recipe(path)
    assert recipe.normalisation.model_dump() | recipe.network_config() == {
        **{"length": 128, "flux_unit_njy": 36.307805, "scaling": "linear", "has_age": False},
        **{"missing_void": 500.0, "n_channels": 4, "n_classes": 3, "dropout": 0.1},
    }
