import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from broker_classifier.cli.main import app
from broker_classifier.errors import ConfigError
from broker_classifier.training.card import renew_card
from broker_classifier.training.cross_validate import cross_validate
from broker_classifier.training.data.split import TEST, split_of
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.judge.cuts import Cut
from broker_classifier.training.judge.predictions import Predictions, pooled_predictions
from broker_classifier.training.recipe import read_recipe
from tests.training.synthetic import CLASSES, FORCED_SOURCE, write_data_set

SMALL = Path(__file__).with_name("small.toml")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "made-up", n_objects=240)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_text(SMALL.read_text().replace("epochs = 12", "epochs = 2"))
    return path


@pytest.fixture(scope="module")
def folder(data, recipe, tmp_path_factory):
    """Two folds, the second one interrupted after its first epoch."""
    folder = tmp_path_factory.mktemp("folds")

    def stop(message):
        if "epoch 1/" in message and (folder / "fold-1").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_validate(recipe, data, folder, 2, report=stop)
    lines = []
    cross_validate(recipe, data, folder, 2, report=lines.append)
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["2/2"]
    return folder


@pytest.fixture(scope="module")
def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_every_object_of_the_folds_is_judged_once(data, metrics):
    table = pd.read_csv(data / "objects.csv")
    table = table[table["label"].isin(CLASSES)]
    tested = [split_of(name, fold) == TEST for fold in (0, 1) for name in table["canonical_id"]]
    assert metrics["n_objects"] == metrics["full"]["n"] == sum(tested)


def test_the_figures_are_those_of_the_folds_together(data, folder, metrics, tmp_path):
    folds = [evaluate(folder / f"fold-{k}", data, tmp_path, TEST, plots=()).metrics for k in (0, 1)]
    assert metrics["folds"] == [fold["bundle"]["hash"] for fold in folds]
    for family, value in (("by_detections", "3"), ("by_days", "10")):
        pooled, (first, second) = metrics[family][value], [fold[family][value] for fold in folds]
        assert pooled["n"] == first["n"] + second["n"]
        right = first["accuracy"] * first["n"] + second["accuracy"] * second["n"]
        assert pooled["accuracy"] == pytest.approx(right / pooled["n"], abs=1e-4)
        confusion = np.add(first["confusion"], second["confusion"])
        np.testing.assert_array_equal(pooled["confusion"], confusion)


def test_each_fold_decides_under_its_own_prior():
    bundle = SimpleNamespace(classes=("SNIa", "TDE"))
    probabilities = np.array([[0.97, 0.03]])
    folds = [
        {Cut("full", ""): Predictions((), np.array([1]), probabilities, np.array([prior]))}
        for prior in ([0.98, 0.02], [0.96, 0.04])
    ]
    pooled = pooled_predictions(folds)[Cut("full", "")]
    assert pooled.decisions(bundle).decided.tolist() == [1, 0]


def test_a_recipe_that_met_no_forced_supernovae_is_cross_validated_by_its_gate(
    data, recipe, tmp_path
):
    text = recipe.read_text().replace("threshold_class", 'alerts_only = ["SNIa"]\nthreshold_class')
    (tmp_path / "gate.toml").write_text(text)
    folds = [0, 1, 2, 3, 4]
    metrics = cross_validate(tmp_path / "gate.toml", data, tmp_path / "folds", len(folds))
    gate = metrics["gates"]["forced_supernovae"]
    table = pd.read_csv(data / "objects.csv")
    table = table[table["label"] == "SNIa"]
    is_tested = table["canonical_id"].map(lambda n: any(split_of(n, k) == TEST for k in folds))
    is_forced = table["source_repo"] == FORCED_SOURCE
    at_end = gate["at"]["full"]
    assert (gate["folds"], at_end["n_forced"]) == (5, (is_tested & is_forced).sum())
    assert at_end["n_alerts"] == (is_tested & ~is_forced).sum()

    bundle = tmp_path / "folds" / "fold-0"
    again = evaluate(bundle, data, tmp_path / "report", TEST, tmp_path / "folds", plots=())
    assert again.metrics["gates"]["forced_supernovae"] == gate
    assert (
        "There are 5 such networks" in (renewed(bundle, data, tmp_path) / "README.md").read_text()
    )
    for change in ({"recipe": {"name": "small", "version": "0.0.9"}}, {"classes": ["SNIa"]}):
        (tmp_path / "folds" / "metrics.json").write_text(json.dumps(metrics | change))
        other = evaluate(bundle, data, tmp_path / "report", TEST, tmp_path / "folds", plots=())
        assert "give that of small" in other.metrics["gates"]["forced_supernovae"]["reason"]
    (tmp_path / "folds" / "metrics.json").write_text("{}")
    with pytest.raises(ConfigError, match="neither a bundle nor"):
        evaluate(bundle, data, tmp_path / "report", TEST, tmp_path / "folds", plots=())


def renewed(bundle, data, folder):
    renew_card(bundle, read_recipe(folder / "gate.toml"), data, folder / "folds")
    return bundle


def test_complete_folds_are_not_trained_again(data, recipe, folder):
    bundles = sorted(folder.glob("fold-*/weights.safetensors"))
    before = [path.stat().st_mtime_ns for path in bundles]
    given = ["cross-validate", recipe, "--data", data, "--output", folder, "--folds", 2]
    ended = CliRunner().invoke(app, [str(argument) for argument in given])
    assert ended.exit_code == 0
    assert str(folder / "metrics.json") in ended.output
    assert [path.stat().st_mtime_ns for path in bundles] == before


def test_folds_of_another_recipe_are_refused(data, recipe, folder, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(recipe.read_text().replace('version = "0.1.0"', 'version = "0.2.0"'))
    with pytest.raises(ConfigError, match=r"holds small 0\.1\.0, fold 0, not small 0\.2\.0"):
        cross_validate(other, data, folder, 2)
    with pytest.raises(ConfigError, match="11 folds"):
        cross_validate(recipe, data, folder, 11)


def test_a_card_tells_the_cross_validation_of_its_recipe(data, recipe, folder, metrics, tmp_path):
    bundle = shutil.copytree(folder / "fold-1", tmp_path / "bundle")
    renew_card(bundle, read_recipe(recipe), data, cross_validation=folder)
    _, section = (bundle / "README.md").read_text().split("## Cross-validation")
    full = metrics["full"]
    assert f"Each of the {metrics['n_objects']} objects is judged" in section
    assert f"| whole light curve | {full['n']} | {full['balanced_accuracy']:.2f} (" in section
    kept = json.loads((bundle / "metrics.json").read_text())["cross_validation"]
    assert (kept["full"], kept["n_folds"]) == (full, 2)

    card = (bundle / "README.md").read_text()
    renew_card(bundle, read_recipe(recipe), data)
    assert (bundle / "README.md").read_text() == card, "the weights are the same"
    shutil.copy(folder / "fold-0" / "metrics.json", bundle)
    renew_card(bundle, read_recipe(recipe), data)
    assert "## Cross-validation" not in (bundle / "README.md").read_text()


def test_a_card_refuses_what_is_no_cross_validation_of_its_recipe(data, recipe, folder, tmp_path):
    own = read_recipe(recipe)
    with pytest.raises(ConfigError, match="is not of a cross-validation"):
        renew_card(folder / "fold-0", own, data, cross_validation=folder / "fold-0")
    judged = json.loads((folder / "metrics.json").read_text())
    judged["recipe"]["version"] = "0.0.1"
    (tmp_path / "metrics.json").write_text(json.dumps(judged))
    with pytest.raises(ConfigError, match=r"0\.0\.1.*, not small 0\.1\.0"):
        renew_card(folder / "fold-0", own, data, cross_validation=tmp_path)
