"""Small untrained bundles for tests that need any valid one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.architectures import ARCHITECTURES, build_network, implied_config
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.grid_input import Grid
from broker_classifier.model.inputs import ModelInput
from broker_classifier.training.fit.write_bundle import save_bundle

CLASSES = ("SNIa", "SNII", "AGN")
GRID_ARCHITECTURES = tuple(name for name, entry in ARCHITECTURES.items() if entry.input is Grid)
SIZES: dict[str, dict[str, int]] = {
    "streaming_attentive_gru": {"hidden": 12, "attention": 6},
    "attentive_gru": {"hidden": 12, "attention": 6, "hops": 2},
    "gru": {"hidden": 12},
    "fcn": {},
    "resnet": {},
}


def small_bundle(
    folder: Path,
    seed: int = 0,
    classes: tuple[str, ...] = CLASSES,
    architecture: str = "streaming_attentive_gru",
    training: Mapping[str, Any] | None = None,
) -> Bundle:
    """Write and load a bundle with random weights."""
    selection = Selection()
    model_input: ModelInput = ARCHITECTURES[architecture].input()
    if architecture in GRID_ARCHITECTURES:
        model_input = Grid(length=32, scaling="arcsinh", has_age=True)
    torch.manual_seed(seed)
    implied = implied_config(architecture, selection.bands, classes, model_input)
    config = {**implied, **SIZES[architecture]}
    network = build_network(architecture, config)
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
        "training": training
        or {
            "data": "none",
            "n_objects": {},
            "recipe": "none",
            "commit": "none",
            "seed": seed,
            "date": "2026-01-01",
        },
    }
    return save_bundle(folder, network, description)
