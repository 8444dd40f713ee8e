"""The shipped six-band bundle on the test objects of MALLORN and SPCC, which it has not seen."""

import json
from pathlib import Path

import pytest

from broker_classifier.training.evaluate import evaluate

FOLDER = Path(__file__).parents[2] / "models" / "lsst-transients"

pytestmark = pytest.mark.data


def judged(folder, tmp_path):
    evaluate(FOLDER, folder, tmp_path, split="test")
    return json.loads((tmp_path / "metrics.json").read_text())


def test_nuclear_transients_of_the_wide_survey_are_told_apart(shared_data, tmp_path):
    metrics = judged(shared_data / "mallorn", tmp_path)
    assert metrics["by_detections"]["10"]["recall"]["AGN"] > 0.75
    assert metrics["full"]["recall"]["SNIa"] > 0.4  # chance: 1/7
    assert metrics["full"]["recall"]["TDE"] > 0.4


def test_supernovae_of_a_deep_field_are_told_apart(shared_data, tmp_path):
    metrics = judged(shared_data / "spcc", tmp_path)
    three = [metrics["full"]["recall"][name] for name in ("SNIa", "SNII", "SNIbc")]
    assert sum(three) / 3 > 0.65  # chance: 1/7
