import numpy as np
import pytest

from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import FULL
from broker_classifier.training.judge.paired import TEN_CUTS, differences, figures_at
from broker_classifier.training.judge.predictions import Predictions

CLASSES = ("SNIa", "SNII", "TDE")
PRIOR = np.array([0.6, 0.3, 0.1])


def predictions(probabilities, target):
    examples = tuple(Example(f"object {i}", "", t, 1.0, ()) for i, t in enumerate(target))
    prior = np.broadcast_to(PRIOR, (len(target), 3))
    return Predictions(examples, np.array(target), np.array(probabilities), prior)


def everywhere(at_cut):
    return dict.fromkeys(TEN_CUTS, at_cut)


TARGET = [0, 0, 1, 2] * 10
SURE = np.eye(3)[TARGET] * 0.7 + 0.1
UNSURE = np.full((40, 3), 1 / 3)


def test_figures_of_a_cut():
    figures = figures_at(predictions(SURE, TARGET), CLASSES)
    assert (figures.n, figures.balanced_accuracy, figures.accuracy) == (40, 1.0, 1.0)
    assert figures.log_loss == pytest.approx(-np.log(0.8))
    assert figures.ece == pytest.approx(0.2)
    assert figures.recall == {"SNIa+91bg+Iax": 1.0, "SNII": 1.0, "TDE": 1.0}


def test_a_model_does_not_differ_from_itself():
    same = everywhere(predictions(SURE, TARGET))
    for by_cut in differences(same, same, CLASSES):
        assert {(d.value, *d.interval) for d in by_cut.values()} == {(0.0, 0.0, 0.0)}


def test_differences_are_second_minus_first_and_their_mean():
    first, second = (everywhere(predictions(p, TARGET)) for p in (UNSURE, SURE))
    accuracy, loss = differences(first, second, CLASSES)
    for cut in (FULL, None):
        assert accuracy[cut].value == pytest.approx(2 / 3, abs=1e-4)  # TDE alone is found by chance
        assert loss[cut].value == pytest.approx(np.log(1 / 3) - np.log(0.8), abs=1e-4)
    low, high = accuracy[None].interval
    assert low == high == pytest.approx(2 / 3, abs=1e-4)


def test_a_cut_that_no_object_reaches_has_no_difference():
    first, second = ({FULL: predictions(p, TARGET)} for p in (UNSURE, SURE))
    for by_cut in differences(first, second, CLASSES):
        assert by_cut.keys() == {FULL, None}
        assert by_cut[FULL] == by_cut[None]


def test_intervals_hold_the_difference_where_objects_disagree():
    random = np.random.default_rng(0)
    noise = random.dirichlet([2, 2, 2], size=(2, 400))
    target = random.integers(0, 3, 400).tolist()
    first, second = (everywhere(predictions(p, target)) for p in noise)
    accuracy, _ = differences(first, second, CLASSES)
    low, high = accuracy[FULL].interval
    assert low < accuracy[FULL].value < high
    assert 0.05 < high - low < 0.3
