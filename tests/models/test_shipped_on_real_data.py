"""The shipped bundle on the test objects of its own data, which it has not seen."""

import json
from pathlib import Path

import numpy as np
import pytest

from broker_classifier.model.bundle import read_bundle
from broker_classifier.training.data.labelled_objects import read_objects
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.homogenise.examples import make_examples
from broker_classifier.training.homogenise.homogenisation import read_homogenisation

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
    """As the gate allows, but twice that after 3 detections: only 20 forced ones are judged."""
    rows = [r for r in metrics["by_source"][cut] if r["class"] == "SNIa"]
    assert len(rows) == 2
    for row in rows:
        assert row["decided"]["AGN"] + row["decided"]["TDE"] <= most


@pytest.fixture(scope="module")
def supernovae(shared_data):
    """Light curves of SNIa as the training sees them: of alerts, and of forced photometry."""
    objects = read_objects(shared_data / "ztf-labelled", ("SNIa",))
    rules, selection = read_homogenisation(FOLDER), read_bundle(FOLDER).selection
    examples = make_examples(objects, rules, selection, ("SNIa",))
    kinds = [[e.curves[0] for e in examples if e.is_alert is alert] for alert in (True, False)]
    assert min(map(len, kinds)) > 200
    return kinds


@pytest.mark.parametrize(("faint", "bright"), [(4.3, 4.6), (4.6, 5.0), (5.0, 5.5)])
def test_forced_photometry_has_the_errors_of_alerts_of_its_flux_rare_ones_too(
    supernovae, faint, bright
):
    wanted, quantiles = (0.01, 0.05, 0.5, 0.95, 0.99), []
    for kind in supernovae:
        flux = np.concatenate([curve.psf_flux for curve in kind])
        snr = flux / np.concatenate([curve.psf_flux_err for curve in kind])
        quantiles.append(np.quantile(snr[(flux > 10**faint) & (flux < 10**bright)], wanted))
    assert quantiles[1] == pytest.approx(quantiles[0], rel=0.15)


def test_forced_photometry_begins_as_faint_as_alerts(supernovae):
    first = [np.log10([curve.psf_flux[0] for curve in kind]) for kind in supernovae]
    quantiles = [np.quantile(ratios, (0.01, 0.05, 0.25, 0.5)) for ratios in first]
    assert quantiles[1] == pytest.approx(quantiles[0], abs=0.06)
