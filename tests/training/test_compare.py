import json

import numpy as np
import pytest

from broker_classifier.errors import DataError
from broker_classifier.training.compare import compare
from broker_classifier.training.homogenise.homogenisation import HOMOGENISATION_FILE, Homogenisation
from tests.bundles import small_bundle
from tests.training.noises import plain_noise
from tests.training.synthetic import ALERT_SOURCE, write_data_set


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two bundles and a data set."""
    folder = tmp_path_factory.mktemp("compare")
    rules = Homogenisation(alert_sources=(ALERT_SOURCE,), noise=plain_noise())
    for seed in (0, 1):
        small_bundle(folder / f"seed-{seed}", seed=seed)
        (folder / f"seed-{seed}" / HOMOGENISATION_FILE).write_text(rules.model_dump_json())
    write_data_set(folder / "data", n_objects=60)
    return folder


@pytest.fixture(scope="module")
def comparison(folders):
    bundles = [folders / "seed-0", folders / "seed-1"]
    return compare(bundles, folders / "data", folders / "report", plots=("accuracy.png",))


def test_every_bundle_has_a_report_and_all_are_in_one_figure(folders, comparison):
    report = folders / "report"
    assert comparison == json.loads((report / "comparison.json").read_text())
    assert (report / "comparison.png").read_bytes().startswith(b"\x89PNG")
    for name in ("seed-0", "seed-1"):
        metrics = json.loads((report / name / "metrics.json").read_text())
        full, group = comparison["bundles"][name]["full"], metrics["full"]["grouped"]
        assert full["balanced_accuracy"] == group["balanced_accuracy"]
        assert full["ece_95"] == group["ece_95"]


def test_a_difference_is_that_of_the_two_figures(comparison):
    first, second = comparison["bundles"]["seed-0"], comparison["bundles"]["seed-1"]
    for cut, difference in comparison["against_the_first"]["seed-1"].items():
        expected = second[cut]["balanced_accuracy"] - first[cut]["balanced_accuracy"]
        low, high = difference["balanced_accuracy_95"]
        assert difference["balanced_accuracy"] == pytest.approx(expected, abs=2e-4)
        assert low <= difference["balanced_accuracy"] <= high


def test_folders_of_the_same_name_are_told_apart_by_more_of_their_paths(folders, tmp_path):
    for parent in ("first", "second"):
        (tmp_path / parent).mkdir()
        (tmp_path / parent / "bundle").symlink_to(folders / f"seed-{int(parent == 'second')}")
    paths = [tmp_path / parent / "bundle" for parent in ("first", "second")]
    comparison = compare(paths, folders / "data", tmp_path / "report", plots=())
    assert set(comparison["bundles"]) == {"first-bundle", "second-bundle"}


def test_the_same_bundle_twice_is_refused(folders, tmp_path):
    with pytest.raises(DataError, match="named twice"):
        compare([folders / "seed-0"] * 2, folders / "data", tmp_path)


def test_figures_are_finite_or_absent(comparison):
    values = [
        v
        for cut in comparison["bundles"]["seed-0"].values()
        if isinstance(cut, dict)
        for v in cut.values()
        if isinstance(v, float)
    ]
    assert np.isfinite(values).all()
