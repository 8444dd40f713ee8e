"""Balanced accuracies and gains against scikit-learn, scipy and closed forms."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from broker_classifier.training.poster.gains import (
    STUDENT_95,
    balanced_accuracy_of,
    gain,
    levels,
    mean_confusion,
)
from broker_classifier.training.poster.runs import Result

CLASSES = ("SNIa", "SNIax", "SNII", "AGN")
LEVELS = levels(CLASSES)


def result(target, decided, ids=None):
    return Result(
        n_training=1,
        n_validation=1,
        n_test_seen=0,
        n_parameters=1,
        best_epoch=1,
        validation_accuracy=0.5,
        seconds=0.1,
        ids=ids or [f"{i:05d}" for i in range(len(target))],
        target=list(map(int, target)),
        decided=list(map(int, decided)),
    )


def drawn(seed, accuracy, n=400):
    random = np.random.default_rng(seed)
    target = np.arange(n) % 4
    right = random.random(n) < accuracy
    return result(target, np.where(right, target, (target + random.integers(1, 4, n)) % 4))


@pytest.mark.parametrize("seed", range(5))
def test_balanced_accuracy_is_scikit_learns(seed):
    run = drawn(seed, 0.6, n=97)
    expected = balanced_accuracy_score(run.target, run.decided)
    assert balanced_accuracy_of(run, LEVELS["classes"]) == pytest.approx(expected)
    group = np.array([0, 0, 1, 2])
    expected = balanced_accuracy_score(group[run.target], group[run.decided])
    assert balanced_accuracy_of(run, LEVELS["groups"]) == pytest.approx(expected)


def test_groups_are_given_only_where_they_join_classes():
    assert LEVELS["groups"].names == ("SNIa+Iax", "SNII", "AGN")
    assert list(levels(("SNIa", "SNII", "SNIbc"))) == ["classes"]


def test_a_class_that_is_not_tested_does_not_count():
    run = result([0, 0, 2, 2], [0, 1, 2, 2])
    assert balanced_accuracy_of(run, LEVELS["classes"]) == pytest.approx((0.5 + 1.0) / 2)


def test_matrices_of_seeds_are_averaged_row_by_row():
    shares = mean_confusion(
        [result([0, 0, 2], [0, 2, 2]), result([0, 2, 2], [2, 2, 0])], LEVELS["classes"]
    )
    np.testing.assert_allclose(shares[0], [0.25, 0.0, 0.75, 0.0])
    np.testing.assert_allclose(shares[2], [0.25, 0.0, 0.75, 0.0])


def test_a_gain_is_the_mean_of_the_paired_differences_with_students_interval():
    of = {seed: drawn(seed, 0.7) for seed in range(5)}
    on = {seed: drawn(100 + seed, 0.6) for seed in range(5)}
    differences = [
        balanced_accuracy_score(of[s].target, of[s].decided)
        - balanced_accuracy_score(on[s].target, on[s].decided)
        for s in range(5)
    ]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(differences), scale=stats.sem(differences))
    gained = gain(of, on, LEVELS["classes"])
    assert gained.mean == pytest.approx(np.mean(differences))
    assert gained.from_seeds == pytest.approx((high - low) / 2, rel=1e-3)
    assert gained.interval == pytest.approx(np.hypot(gained.from_seeds, gained.from_objects))
    assert gained.n_seeds == 5


def test_students_quantiles_are_scipys():
    expected = [stats.t.ppf(0.975, n) for n in range(1, len(STUDENT_95))]
    np.testing.assert_allclose(STUDENT_95[1:], expected, atol=6e-4)


def test_the_part_of_the_objects_is_that_of_a_mean_of_differences():
    of, on = drawn(0, 0.7), drawn(1, 0.6)
    target = np.array(of.target)
    each = (np.array(of.decided) == target).astype(float) - (np.array(on.decided) == target)
    variances = [each[target == k].var() / (target == k).sum() for k in range(4)]
    expected = 1.96 * np.sqrt(np.sum(variances)) / 4
    gained = gain({0: of, 1: of}, {0: on, 1: on}, LEVELS["classes"])
    assert gained.from_objects == pytest.approx(expected, rel=0.1)
    assert gained.from_seeds == 0.0  # twice the same seed: no scatter, yet the objects' stays


def test_other_test_objects_in_each_seed_average_out():
    pairs = [(drawn(s, 0.7), drawn(50 + s, 0.6)) for s in range(4)]
    same = gain(*({s: p[k] for s, p in enumerate(pairs)} for k in (0, 1)), LEVELS["classes"])
    renamed = [
        tuple(r.model_copy(update={"ids": [f"{s}/{i}" for i in r.ids]}) for r in pair)
        for s, pair in enumerate(pairs)
    ]
    other = gain(*({s: p[k] for s, p in enumerate(renamed)} for k in (0, 1)), LEVELS["classes"])
    assert other.mean == pytest.approx(same.mean)
    assert other.from_objects == pytest.approx(same.from_objects, rel=0.25)


def test_no_difference_is_shown_where_models_are_equally_good():
    of = {seed: drawn(seed, 0.6) for seed in range(5)}
    on = {seed: drawn(100 + seed, 0.6) for seed in range(5)}
    assert gain(of, on, LEVELS["classes"]).verdict() == "no difference shown"
    better = {seed: drawn(seed, 0.8) for seed in range(5)}
    assert gain(better, on, LEVELS["classes"]).verdict() == "helps"
    assert gain(on, better, LEVELS["classes"]).verdict() == "hurts"


def test_one_seed_shows_nothing():
    assert gain({0: drawn(0, 0.9)}, {0: drawn(1, 0.3)}, LEVELS["classes"]).interval == np.inf


def test_models_tested_on_different_objects_are_not_compared():
    first, second = drawn(0, 0.6), drawn(1, 0.6)
    with pytest.raises(ValueError, match="same objects"):
        gain(
            {0: first}, {0: second.model_copy(update={"ids": second.ids[::-1]})}, LEVELS["classes"]
        )
