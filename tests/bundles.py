"""A small untrained bundle for tests that need any valid one."""

from pathlib import Path

import torch

from broker_classifier.bundle import Bundle
from broker_classifier.interpolate import Normalisation, channel_names
from broker_classifier.models import build_network
from broker_classifier.selection import Selection
from broker_classifier.training.save import save_bundle

CLASSES = ("SNIa", "SNII", "AGN")


def small_bundle(folder: Path, seed: int = 0, classes: tuple[str, ...] = CLASSES) -> Bundle:
    """Write and load a bundle with random weights."""
    selection = Selection()
    n_channels = len(channel_names(selection.bands))
    config = {"n_channels": n_channels, "n_classes": len(classes), "hidden": 12, "attention": 6}
    torch.manual_seed(seed)
    network = build_network("streaming_attentive_gru", config)
    even = tuple(1 / len(classes) for _ in classes)
    description = {
        "name": "small",
        "version": "0.1.0",
        "architecture": "streaming_attentive_gru",
        "config": config,
        "survey": "ztf",
        "classes": classes,
        "selection": selection,
        "normalisation": Normalisation(),
        "calibration": {"prior": even, "log_trained_prior": tuple(0.0 for _ in classes)},
        "training": {
            "data": "none",
            "n_objects": {},
            "recipe": "none",
            "commit": "none",
            "seed": seed,
            "date": "2026-01-01",
        },
    }
    return save_bundle(folder, network, description)
