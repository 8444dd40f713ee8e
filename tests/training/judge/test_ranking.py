import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from broker_classifier.training.judge.ranking import areas


@pytest.mark.parametrize("n_levels", [3, 10, 10**6], ids=["many ties", "ties", "none"])
def test_areas_agree_with_scikit_learn(n_levels):
    random = np.random.default_rng(n_levels)
    is_positive = random.random(300) < 0.2
    score = np.round((random.random(300) + 0.3 * is_positive) * n_levels) / n_levels
    counts = random.integers(0, 4, (5, 300)).astype(np.float32)
    roc, precision = areas(score, is_positive, counts)
    for row, weights in enumerate(counts):
        weighted = {"sample_weight": weights}
        assert roc[row] == pytest.approx(roc_auc_score(is_positive, score, **weighted))
        expected = average_precision_score(is_positive, score, **weighted)
        assert precision[row] == pytest.approx(expected, rel=1e-5)


def test_a_class_that_does_not_occur_has_no_areas():
    nothing = areas(np.arange(4.0), np.zeros(4, dtype=bool), np.ones((1, 4), dtype=np.float32))
    assert np.isnan(nothing).all()


def test_a_class_without_others_has_a_precision_of_one_and_no_roc():
    everyone = np.ones(4, dtype=bool)
    roc, precision = areas(np.arange(4.0), everyone, np.ones((1, 4), dtype=np.float32))
    assert np.isnan(roc[0])
    assert precision[0] == 1.0
