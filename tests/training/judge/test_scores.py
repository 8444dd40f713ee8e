import numpy as np
import pytest
from sklearn import metrics as sk

from broker_classifier.training.judge.scores import (
    balanced_accuracy,
    confusion_matrix,
    expected_calibration_error,
    metrics_at_a_cut,
)

CLASSES = ("SNIa", "SNIax", "AGN", "TDE")
PRIOR = np.array([0.6, 0.1, 0.2, 0.1])


@pytest.fixture
def sample():
    random = np.random.default_rng(3)
    target = random.choice(3, 400, p=[0.6, 0.1, 0.3])  # no TDE occurs
    probabilities = random.dirichlet([2, 1, 1, 0.5], 400)
    probabilities[np.arange(400), target] += 0.4
    return target, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_every_figure_agrees_with_scikit_learn(sample):
    target, probabilities = sample
    figures = metrics_at_a_cut(target, probabilities, PRIOR, CLASSES)
    equal, natural = (probabilities / PRIOR).argmax(1), probabilities.argmax(1)
    recall = sk.recall_score(target, equal, average=None, labels=[0, 1, 2])
    f1 = sk.f1_score(target, natural, average="macro", labels=[0, 1, 2])
    assert figures["balanced_accuracy"] == pytest.approx(recall.mean(), abs=1e-4)
    assert figures["macro_f1"] == pytest.approx(f1, abs=1e-4)
    assert figures["accuracy"] == pytest.approx(sk.accuracy_score(target, natural), abs=1e-4)
    assert figures["confusion"] == sk.confusion_matrix(target, equal, labels=range(4)).tolist()
    assert list(figures["recall"].values())[:3] == pytest.approx(recall, abs=1e-4)


def test_a_class_that_does_not_occur_has_no_recall(sample):
    assert metrics_at_a_cut(*sample, PRIOR, CLASSES)["recall"]["TDE"] is None


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "accuracy", "ece"])
def test_every_figure_lies_in_its_interval(sample, name):
    figures = metrics_at_a_cut(*sample, PRIOR, CLASSES)
    low, high = figures[f"{name}_95"]
    assert low < figures[name] < high


@pytest.mark.parametrize("name", ["recall", "roc_auc", "average_precision"])
def test_every_figure_of_a_class_lies_in_its_interval(sample, name):
    figures = metrics_at_a_cut(*sample, PRIOR, CLASSES)
    for class_name in CLASSES[:3]:
        low, high = figures[f"{name}_95"][class_name]
        assert low < figures[name][class_name] < high
    assert figures[f"{name}_95"]["TDE"] == [None, None]


def test_an_interval_of_accuracy_is_that_of_a_binomial_share(sample):
    figures = metrics_at_a_cut(*sample, PRIOR, CLASSES)
    p = figures["accuracy"]
    half = 1.96 * np.sqrt(p * (1 - p) / 400)
    assert figures["accuracy_95"] == pytest.approx([p - half, p + half], abs=0.008)


def test_a_resampled_calibration_error_is_that_of_the_repeated_objects(sample):
    target, probabilities = sample
    counts = np.random.default_rng(0).multinomial(400, np.full(400, 1 / 400), 3)
    errors = expected_calibration_error(target, probabilities, counts)
    for row, count in zip(errors, counts, strict=True):
        again = np.repeat(np.arange(400), count)
        expected = expected_calibration_error(target[again], probabilities[again])
        assert row == pytest.approx(float(expected))


def test_confidence_that_is_too_high_by_a_fifth_is_an_error_of_a_fifth():
    target = np.array([0] * 8 + [1] * 2)
    sure = np.tile([1.0, 0.0], (10, 1))
    assert expected_calibration_error(target, sure) == pytest.approx(0.2)


def test_true_classes_stand_in_rows():
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 1]), 2)
    assert confusion.tolist() == [[0, 2], [0, 1]]


def test_balanced_accuracy_is_scikit_learns_over_the_classes_that_occur(sample):
    target, probabilities = sample
    decided = probabilities.argmax(axis=1) % 3
    confusion = confusion_matrix(target, decided, len(CLASSES))
    expected = sk.balanced_accuracy_score(target, decided)
    assert float(balanced_accuracy(confusion)) == pytest.approx(expected)
