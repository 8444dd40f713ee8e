"""The shipped bundle on the test objects of its own data, which it has not seen."""

import json
from pathlib import Path

import pytest

from broker_classifier.training.evaluate import evaluate

FOLDER = Path(__file__).parents[2] / "models" / "ztf-transients"

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def metrics(shared_data, tmp_path_factory):
    report = tmp_path_factory.mktemp("report")
    return evaluate(FOLDER, shared_data / "ztf-labelled", report, split="test").metrics


def test_the_figures_of_the_card_can_be_made_again(metrics):
    shipped = json.loads((FOLDER / "metrics.json").read_text())
    assert metrics["n_objects"] == shipped["n_objects"]
    for family in ("by_detections", "by_days", "by_fraction"):
        for value, cut in metrics[family].items():
            assert cut["balanced_accuracy"] == pytest.approx(
                shipped[family][value]["balanced_accuracy"], abs=0.002
            )


def test_the_groups_are_told_apart(metrics):
    assert metrics["by_detections"]["10"]["grouped"]["balanced_accuracy"] > 0.5  # chance: 1/6
    assert metrics["full"]["grouped"]["balanced_accuracy"] > 0.65


def test_the_probabilities_can_be_taken_at_their_word(metrics):
    assert metrics["full"]["ece"] < 0.05


@pytest.mark.parametrize(
    ("cut", "most"), [("by_detections_3", 0.25), ("by_detections_10", 0.12), ("full", 0.12)]
)
def test_supernovae_from_forced_photometry_are_not_called_agn_or_tde(metrics, cut, most):
    """After 3 detections too many are, as the card says; later no more than the gate allows."""
    rows = [r for r in metrics["by_source"][cut] if r["class"] == "SNIa"]
    assert len(rows) == 2
    for row in rows:
        assert row["decided"]["AGN"] + row["decided"]["TDE"] <= most
