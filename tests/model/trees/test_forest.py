import lightgbm
import numpy as np
import pytest

from broker_classifier.model.trees.forest import longest_path, run_forest
from broker_classifier.training.fit.fit_trees import trees_of

N_FEATURES, N_CLASSES = 6, 3


def rows(n, seed):
    """Features of many scales, a third of them unknown, and one that is always known."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(n, N_FEATURES)) * 10.0 ** np.arange(N_FEATURES)
    table[random.random(table.shape) < 0.3] = np.nan
    table[:, 0] = random.integers(0, 4, n)
    return table.astype(np.float32)


def booster(seed=0):
    table = rows(2000, seed)
    filled = np.nan_to_num(table)
    label = (filled[:, 1] > 0) + (filled[:, 0] + (filled[:, 3] > 500) > 2)
    options = {"objective": "multiclass", "num_class": N_CLASSES, "num_leaves": 8, "max_depth": 5}
    return lightgbm.train(
        options | {"verbosity": -1, "num_threads": 1, "seed": seed},
        lightgbm.Dataset(table, label),
        num_boost_round=7,
    )


@pytest.fixture(scope="module")
def boosters():
    return [booster(seed) for seed in range(2)]


@pytest.mark.parametrize("n", [1, 3, 100])
def test_the_trees_say_what_lightgbm_says(boosters, n):
    trees = trees_of(boosters, N_FEATURES, N_CLASSES, n_leaves=8)
    table = rows(n, seed=9)
    expected = np.mean([b.predict(table, raw_score=True) for b in boosters], axis=0)
    np.testing.assert_allclose(trees.run(table), expected, atol=1e-5)


def test_a_feature_without_unknowns_in_training_may_be_unknown_later(boosters):
    trees = trees_of(boosters[:1], N_FEATURES, N_CLASSES, n_leaves=8)
    table = rows(50, seed=9)
    table[:, 0] = np.nan
    expected = boosters[0].predict(table, raw_score=True)
    np.testing.assert_allclose(trees.run(table), expected, atol=1e-5)


def test_no_row_is_asked_of_no_trees():
    forest = trees_of([], N_FEATURES, N_CLASSES, n_leaves=2).forest
    assert run_forest(rows(2, 0), forest, 0, N_CLASSES).tolist() == [[0.0] * N_CLASSES] * 2


@pytest.mark.parametrize(
    "child", [[[1, -1], [0, -2]], [[0, -1], [-2, -3]], [[2, -1], [-2, -3]], [[-4, -1], [-2, -3]]]
)
def test_a_tree_that_goes_round_or_out_of_its_arrays_is_refused(child):
    with pytest.raises(ValueError, match="a tree sends"):
        longest_path(np.array([child], dtype=np.int16))


def test_the_longest_path_counts_nodes():
    chain = [[1, -1], [2, -2], [-3, -4]]
    assert longest_path(np.array([chain], dtype=np.int16)) == 3
