import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from broker_classifier.errors import ConfigError, DataError
from broker_classifier.light_curve import LightCurve
from broker_classifier.model.bundle import load_bundle
from broker_classifier.model.classify import classify
from broker_classifier.training.card import renew_card
from broker_classifier.training.data.labelled_objects import read_objects
from broker_classifier.training.data.split import split_of
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.homogenise.examples import make_examples
from broker_classifier.training.homogenise.homogenisation import read_homogenisation
from broker_classifier.training.judge.cuts import after_detections
from broker_classifier.training.judge.predictions import predict
from broker_classifier.training.recipe import read_recipe
from broker_classifier.training.report.metrics_file import summary
from broker_classifier.training.report.plots import CARD_PLOTS, PLOTS
from broker_classifier.training.train import train
from tests.tracks import Counts
from tests.training.synthetic import ALERT_SOURCE, CLASSES, write_data_set

RECIPE = Path(__file__).with_name("small.toml")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "made-up", n_objects=360)


@pytest.fixture(scope="module")
def shown():
    """What `folder` shows while it is trained."""
    return Counts()


@pytest.fixture(scope="module")
def folder(data, shown, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    train(RECIPE, data, folder, seed=1, track=shown)
    return folder


def stop_after_five(message):
    if message.startswith("epoch 5/"):
        raise KeyboardInterrupt


def test_a_trained_bundle_loads_and_has_learned(folder):
    bundle = load_bundle(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert bundle.classes == CLASSES
    assert metrics["full"]["balanced_accuracy"] > 0.8  # chance is 1/3
    assert metrics["bundle"]["hash"] == bundle.hash


def test_a_training_shows_how_far_it_is(folder, shown):
    metrics = json.loads((folder / "metrics.json").read_text())
    families = ("by_detections", "by_days", "by_fraction")
    n_cuts = sum(len(metrics[family]) for family in families) + 1
    n_batches = shown.pop("batches")
    assert n_batches % 12 == 0 < n_batches
    n_gates = len(metrics["gates"])
    assert shown == {"epochs": 12, "cuts": n_cuts, "gates": n_gates, "plots": len(CARD_PLOTS)}


def test_a_training_that_was_interrupted_and_resumed_gives_the_same_weights(data, folder, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, data, tmp_path, seed=1, report=stop_after_five)
    lines = []
    again = train(RECIPE, data, tmp_path, seed=1, report=lines.append, resume=True)
    assert again.description.weights_sha256 == load_bundle(folder).description.weights_sha256
    epochs = [line.split()[1] for line in lines if line.startswith("epoch ")]
    assert epochs == [f"{n}/12" for n in range(6, 13)]
    assert [path.name.split(".")[0] for path in (tmp_path / "training").iterdir()] == ["events"] * 2


def test_the_record_counts_every_object_once(data, folder):
    table = pd.read_csv(data / "objects.csv")
    table = table[table["label"] != "other"]
    counts = table.groupby([table["canonical_id"].map(split_of), "label"]).size()
    recorded = load_bundle(folder).description.training.n_objects
    assert {
        (s, c): n for s, by_class in recorded.items() for c, n in by_class.items() if n
    } == dict(counts.items())


def test_the_card_shows_the_figures(folder):
    card = (folder / "README.md").read_text()
    metrics = json.loads((folder / "metrics.json").read_text())
    group = metrics["full"]["grouped"]
    low, high = group["balanced_accuracy_95"]
    assert f"{group['balanced_accuracy']:.2f} ({low:.2f} to {high:.2f})" in card
    for plot in ("accuracy.png", "confusion.png", "reliability.png", "precision-recall.png"):
        assert plot in card
        assert (folder / plot).read_bytes().startswith(b"\x89PNG")


def test_the_metrics_have_every_cut_and_figure(data, folder, tmp_path):
    metrics = evaluate(folder, data, tmp_path).metrics
    assert metrics == json.loads((tmp_path / "metrics.json").read_text())
    assert set(metrics["by_detections"]) == {"1", "2", "3", "5", "10", "20"}
    assert set(metrics["by_days"]) == {"0", "2", "5", "10", "20", "30", "50"}
    assert set(metrics["by_fraction"]) == {"0.25", "0.5", "1.0"}
    figures = {"n", "balanced_accuracy", "macro_f1", "accuracy", "ece", "recall", "confusion"}
    for cut in (*metrics["by_days"].values(), metrics["full"], metrics["full"]["grouped"]):
        assert figures <= set(cut)
    assert metrics["n_objects"] == metrics["full"]["n"]
    table = pd.read_csv(data / "objects.csv")
    assert metrics["labels_left_out"] == {"other": int((table["label"] == "other").sum())}
    for plot in PLOTS:
        assert (tmp_path / plot).read_bytes().startswith(b"\x89PNG")


def test_every_figure_has_an_interval(data, folder, tmp_path):
    metrics = evaluate(folder, data, tmp_path, plots=()).metrics
    counted = {"n", "confusion", "grouped"}
    for cut in (*metrics["by_days"].values(), metrics["full"], metrics["full"]["grouped"]):
        names = {name for name in cut if not name.endswith("_95")} - counted
        assert {f"{name}_95" for name in names} == {name for name in cut if name.endswith("_95")}


def test_an_evaluation_says_what_classify_says(data, folder):
    bundle = load_bundle(folder)
    objects = read_objects(data, bundle.classes)
    examples = make_examples(objects, read_homogenisation(folder), bundle.selection, bundle.classes)
    predictions = predict(examples, bundle)[after_detections(3)]
    reached = [e.curves[0] for e in examples if len(e.curves[0]) >= 3]
    first_three = [LightCurve(curve.points[:3]) for curve in reached]
    expected = [c.probabilities for c in classify(first_three, bundle) if c is not None]
    np.testing.assert_allclose(predictions.probabilities, expected, atol=1e-5)


def test_a_set_without_sources_or_flags_can_be_evaluated(data, folder, tmp_path):
    objects = pd.read_csv(data / "objects.csv")[["object_id", "label"]]
    points = pd.read_parquet(data / "photometry.parquet")
    objects.to_csv(tmp_path / "objects.csv", index=False)
    points.drop(columns=["is_upper_limit", "forced"]).to_parquet(tmp_path / "photometry.parquet")
    assert (
        evaluate(folder, tmp_path, tmp_path / "report", plots=()).metrics["full"][
            "balanced_accuracy"
        ]
        > 0.6
    )


def test_a_set_with_one_class_can_be_evaluated(data, folder, tmp_path):
    shutil.copy(data / "photometry.parquet", tmp_path)
    objects = pd.read_csv(data / "objects.csv")
    objects[objects["label"] == "AGN"].to_csv(tmp_path / "objects.csv", index=False)
    metrics = evaluate(folder, tmp_path, tmp_path / "report", plots=()).metrics
    assert metrics["full"]["recall"]["SNIa"] is None


def test_a_set_too_faint_for_the_survey_is_refused(data, folder, tmp_path):
    points = pd.read_parquet(data / "photometry.parquet")
    points[["flux_njy", "flux_err_njy"]] *= 1e-6
    pd.read_csv(data / "objects.csv")[["object_id", "label"]].to_csv(
        tmp_path / "objects.csv", index=False
    )
    points.drop(columns="forced").to_parquet(tmp_path / "photometry.parquet")
    with pytest.raises(DataError, match="usable detection"):
        evaluate(folder, tmp_path, tmp_path / "report", plots=())


def test_a_card_is_written_by_its_own_recipe_alone(data, folder, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.read_text().replace("name = ", "name = 'other'  # ", 1))
    with pytest.raises(ConfigError, match="the recipe is other's"):
        renew_card(folder, read_recipe(other), data)


def test_a_report_says_in_a_few_lines_what_was_left_out(data, folder, tmp_path):
    report = evaluate(folder, data, tmp_path / "report")
    left = {"other": 3, "": 1}
    lines = summary(report.metrics | {"labels_left_out": left}).splitlines()
    assert lines[0].startswith(f"{report.metrics['n_objects']} objects; balanced accuracy")
    assert lines[1].endswith("3 other, 1 without a label")


def test_a_complete_bundle_is_replaced_only_when_asked(data, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "bundle")
    for resume in (False, True):
        with pytest.raises(ConfigError, match=r"holds a bundle.*--overwrite"):
            train(RECIPE, data, tmp_path / "bundle", seed=2, resume=resume)
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, data, tmp_path / "bundle", seed=2, report=stop_after_five, overwrite=True)
    train(RECIPE, data, tmp_path / "bundle", seed=2, resume=True)
    assert load_bundle(tmp_path / "bundle").description.training.seed == 2


def test_what_fails_leaves_no_folder(data, folder, tmp_path):
    output = tmp_path / "new" / "folder"
    with pytest.raises(DataError):
        train(RECIPE, tmp_path / "no data", output)
    with pytest.raises(DataError):
        evaluate(folder, tmp_path / "no data", output)

    def stop(message):
        if message.startswith("detections begin"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, data, output, report=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder_for_results(data, folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file cannot be a folder"):
        evaluate(folder, data, tmp_path / "file")
    with pytest.raises(ConfigError, match="file cannot be a folder"):
        train(RECIPE, data, tmp_path / "file")


def test_an_unknown_split_is_refused(data, folder, tmp_path):
    with pytest.raises(DataError, match="'holdout'"):
        evaluate(folder, data, tmp_path, split="holdout", plots=())


def test_a_class_without_training_objects_is_refused(data, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.read_text().replace('"AGN"]', '"AGN", "TDE"]'))
    with pytest.raises(DataError, match="No training object of TDE"):
        train(recipe, data, tmp_path / "bundle")


def test_a_class_of_which_only_alerts_train_is_recorded_so(data, tmp_path):
    recipe = tmp_path / "recipe.toml"
    text = RECIPE.read_text().replace("epochs = 12", "epochs = 1")
    recipe.write_text(text.replace("threshold_class", 'alerts_only = ["SNIa"]\nthreshold_class'))
    record = train(recipe, data, tmp_path / "bundle").description.training
    table = pd.read_csv(data / "objects.csv")
    alerts = (table["label"] == "SNIa") & (table["source_repo"] == ALERT_SOURCE)
    splits = table["canonical_id"].map(split_of)
    for split in ("train", "validation"):
        assert record.n_objects[split]["SNIa"] == (alerts & (splits == split)).sum()
    assert (
        record.n_objects["test"]["SNIa"] == ((table["label"] == "SNIa") & (splits == "test")).sum()
    )
    assert record.alerts_only == ("SNIa",)


def test_two_folders_train_one_bundle_that_takes_the_second_as_the_first_would_see_it(tmp_path):
    folders = [tmp_path / "survey", tmp_path / "elsewhere"]
    for i, folder in enumerate(folders):
        write_data_set(folder, n_objects=120, seed=i, prefix=folder.name)
        table = pd.read_csv(folder / "objects.csv").drop(columns="source_repo")
        table.to_csv(folder / "objects.csv", index=False)
    text = RECIPE.read_text().replace("epochs = 12", "epochs = 2")
    text = text.replace('"somebody/alerts"', '"survey"')
    text = text.replace(
        'threshold_class = "SNIa"',
        'detection_snr = 5.0\nvisits_of = ["survey"]\nseen_again = ["survey"]',
    )
    (tmp_path / "recipe.toml").write_text(text)
    bundle = train(tmp_path / "recipe.toml", folders, tmp_path / "bundle")
    rules = read_homogenisation(tmp_path / "bundle")
    assert bundle.description.training.data == "survey, elsewhere"
    assert [visits.source for visits in rules.visits] == ["survey"]
    examples = make_examples(
        read_objects(folders, bundle.classes), rules, bundle.selection, bundle.classes
    )
    assert {e.source for e in examples} == {"survey", "elsewhere"}
    errors = [
        np.concatenate([e.curves[0].psf_flux_err for e in examples if e.source == s])
        for s in ("survey", "elsewhere")
    ]
    assert np.median(errors[1]) == pytest.approx(np.median(errors[0]), rel=0.5)
