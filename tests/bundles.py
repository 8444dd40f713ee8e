"""Small untrained bundles for tests that need any valid one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.architectures import ARCHITECTURES, build_network, implied_config
from broker_classifier.model.bundle import MEMBERS_FOLDER, Bundle
from broker_classifier.model.grid_input import Grid
from broker_classifier.model.inputs import ModelInput
from broker_classifier.model.trees.boosted_trees import BoostedTrees
from broker_classifier.training.fit.write_bundle import save_bundle

CLASSES = ("SNIa", "SNII", "AGN")
GRID_ARCHITECTURES = tuple(name for name, entry in ARCHITECTURES.items() if entry.input is Grid)
SIZES: dict[str, dict[str, int]] = {
    "streaming_attentive_gru": {"hidden": 12, "attention": 6},
    "attentive_gru": {"hidden": 12, "attention": 6, "hops": 2},
    "gru": {"hidden": 12},
    "fcn": {},
    "resnet": {},
    "boosted_trees": {"n_trees": 24, "n_leaves": 4},
}
TRAINED_NOWHERE = {
    "data": "none",
    "n_objects": {},
    "recipe": "none",
    "commit": "none",
    "seed": 0,
    "date": "2026-01-01",
}


def small_bundle(
    folder: Path,
    seed: int = 0,
    classes: tuple[str, ...] = CLASSES,
    architecture: str = "streaming_attentive_gru",
    training: Mapping[str, Any] | None = None,
) -> Bundle:
    """Write and load a bundle with random weights; a blend is of a streaming network and trees."""
    if architecture == "blend":
        return small_blend(folder, seed, classes)
    selection = Selection()
    model_input: ModelInput = ARCHITECTURES[architecture].input()
    if architecture in GRID_ARCHITECTURES:
        model_input = Grid(length=32, scaling="arcsinh", has_age=True)
    torch.manual_seed(seed)
    implied = implied_config(architecture, selection.bands, classes, model_input)
    config = {**implied, **SIZES[architecture]}
    network = build_network(architecture, config)
    if isinstance(network, BoostedTrees):
        grow(network, np.random.default_rng(seed))
    even = tuple(1 / len(classes) for _ in classes)
    description: dict[str, Any] = {
        "name": "small",
        "version": "0.1.0",
        "architecture": architecture,
        "config": config,
        "survey": "ztf",
        "classes": classes,
        "selection": selection,
        "normalisation": model_input,
        "calibration": {"prior": even, "log_trained_prior": tuple(0.0 for _ in classes)},
        "training": training or TRAINED_NOWHERE | {"seed": seed},
    }
    return save_bundle(folder, network, description)


def grow(network: BoostedTrees, random: np.random.Generator) -> None:
    """Make balanced trees of four leaves that ask for random features."""
    forest, n_features = network.forest, network.config.n_channels
    forest.feature[:] = random.integers(0, 2 * n_features, forest.feature.shape)
    forest.threshold[:] = random.normal(0.0, 5.0, forest.threshold.shape)
    forest.child[:] = [[1, 2], [-1, -2], [-3, -4]]
    forest.value[:] = random.normal(0.0, 0.2, forest.value.shape)


def small_blend(folder: Path, seed: int = 0, classes: tuple[str, ...] = CLASSES) -> Bundle:
    """Write and load a blend of two small bundles."""
    members = {
        name: small_bundle(folder / MEMBERS_FOLDER / name, seed, classes, name)
        for name in ("streaming_attentive_gru", "boosted_trees")
    }
    first = members["streaming_attentive_gru"].description
    implied = implied_config("blend", first.selection.bands, classes, first.input)
    network = build_network("blend", implied)
    description = first.model_dump(by_alias=True, exclude={"weights_sha256", "members"})
    described = {"architecture": "blend", "config": network.config.model_dump()}
    return save_bundle(folder, network, description | described, members)
