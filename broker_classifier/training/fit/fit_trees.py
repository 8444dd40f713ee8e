"""Fitting boosted trees with LightGBM, and keeping them as plain arrays."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import lightgbm
import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.light_curve import LightCurve
from broker_classifier.model.trees.boosted_trees import BoostedTrees, BoostedTreesConfig
from broker_classifier.model.trees.forest import Forest
from broker_classifier.model.trees.prefix_features import Features
from broker_classifier.training.fit.augment import augmented
from broker_classifier.training.fit.fit_network import class_frequencies, class_weights
from broker_classifier.training.fit.tree_rows import thinned, training_moments
from broker_classifier.training.homogenise.alert_noise import AlertNoise
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.moments import tree_rows
from broker_classifier.training.recipe import Recipe

Floats = NDArray[np.float64]
_LARGEST = float(np.finfo(np.float32).max)


def fit_trees(
    training: Sequence[Example],
    noise: AlertNoise,
    recipe: Recipe,
    seed: int,
    report: Callable[[str], None] = lambda message: None,
) -> BoostedTrees:
    """Fit `trees.models` sets of boosted trees on variations of the examples, and join them.

    The logits are those of the trained prior: class frequencies times `class_weights`, as those of
    a network are.
    """
    settings, n_classes = recipe.trees, len(recipe.classes)
    random = np.random.default_rng(seed)
    curves, target, share = _varied(training, noise, recipe, random)
    moments, weight = training_moments(curves, recipe.optimisation, random)
    exponent = recipe.optimisation.class_weight_exponent
    by_class = class_weights(class_frequencies(training, n_classes), exponent)
    weight *= (share * by_class[target])[moments.curve]
    moments, weight = thinned(moments, weight, settings.rows, random)
    assert isinstance(recipe.normalisation, Features)
    rows = tree_rows(curves, moments, recipe.selection, recipe.normalisation)
    report(f"{len(rows)} rows of {rows.shape[1]} features, of {len(curves)} light curves")
    data = lightgbm.Dataset(rows, target[moments.curve], weight=weight / weight.mean())
    boosters = []
    for number in range(settings.models):
        options = _options(recipe, seed * settings.models + number)
        boosters.append(lightgbm.train(options, data, settings.rounds))
        report(f"{settings.rounds} rounds of trees, {number + 1} of {settings.models}")
    return trees_of(boosters, rows.shape[1], n_classes, settings.leaves)


def _varied(
    training: Sequence[Example], noise: AlertNoise, recipe: Recipe, random: np.random.Generator
) -> tuple[list[LightCurve], NDArray[np.int64], Floats]:
    """Give light curves, their classes and their weights: each example's own and variations.

    Rare classes get more variations, as f^-1/2 of their frequency; the weight of an object stays.
    """
    frequency = class_frequencies(training, len(recipe.classes))
    curves, target, share = [], [], []
    for example in training:
        n = round(recipe.trees.variations * example.weight / frequency[example.target] ** 0.5)
        settings = example, recipe.augmentation, noise, recipe.selection, random
        seen = [*example.curves, *(augmented(*settings) for _ in range(n))]
        curves += seen
        target += [example.target] * len(seen)
        share += [example.weight / len(seen)] * len(seen)
    return curves, np.array(target), np.array(share)


def _options(recipe: Recipe, seed: int) -> dict[str, Any]:
    settings = recipe.trees
    return {
        "objective": "multiclass",
        "num_class": len(recipe.classes),
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "max_depth": settings.depth,
        "min_data_in_leaf": settings.min_rows_of_leaf,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.row_fraction,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "max_bin": 127,
        "num_threads": torch.get_num_threads(),
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def trees_of(
    boosters: Sequence[lightgbm.Booster], n_features: int, n_classes: int, n_leaves: int
) -> BoostedTrees:
    """Join boosters, which answer together by the mean of their logits."""
    trees = [tree["tree_structure"] for b in boosters for tree in b.dump_model()["tree_info"]]
    n_idle = -len(trees) % (4 * n_classes)
    trees += [{"leaf_value": 0.0}] * n_idle
    config = BoostedTreesConfig(
        n_channels=n_features, n_classes=n_classes, n_trees=len(trees), n_leaves=n_leaves
    )
    network = BoostedTrees(config)
    for i, root in enumerate(trees):
        _write_tree(network.forest, i, root, n_features)
    network.get_buffer("value").div_(len(boosters))
    return network.eval()


def _write_tree(forest: Forest, i: int, root: dict[str, Any], n_features: int) -> None:
    """Write one tree, its nodes numbered breadth first, so that a node sends to later ones."""
    n_nodes = n_leaves = 0
    waiting: deque[tuple[dict[str, Any], int, int]] = deque([(root, -1, 0)])
    while waiting:
        part, parent, side = waiting.popleft()
        if "leaf_value" in part:
            name, n_leaves = -1 - n_leaves, n_leaves + 1
            forest.value[i, -1 - name] = part["leaf_value"]
        else:
            name, n_nodes = n_nodes, n_nodes + 1
            forest.feature[i, name] = part["split_feature"] + n_features * (not _nan_is_low(part))
            forest.threshold[i, name] = _rounded_down(part["threshold"])
            waiting.append((part["left_child"], name, 0))
            waiting.append((part["right_child"], name, 1))
        if parent >= 0:
            forest.child[i, parent, side] = name


def _nan_is_low(node: dict[str, Any]) -> bool:
    """Where NaN goes: LightGBM takes it for 0 where the training had none."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(node["threshold"] >= 0.0)


def _rounded_down(threshold: float) -> np.float32:
    """Give the largest float32 not above a threshold: the same float32 features are not above."""
    single = np.float32(np.clip(threshold, -_LARGEST, _LARGEST))
    return single if float(single) <= threshold else np.nextafter(single, np.float32(-np.inf))
