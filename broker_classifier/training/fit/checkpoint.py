"""The checkpoint of a training: one file, whole or not there, that knows whose it is."""

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from broker_classifier.errors import DataError
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.recipe import Recipe

CHECKPOINT_FILE = "checkpoint.pt"


def training_identity(
    recipe: Recipe, seed: int, training: Sequence[Example], validation: Sequence[Example]
) -> dict[str, str]:
    """Give what decides the outcome of a training: recipe, seed and data, as hashes or numbers."""
    data = sha256()
    for example in (*training, *validation):
        data.update(f"{example.canonical_id} {example.target} {example.weight!r}".encode())
        for curve in example.curves:
            data.update(curve.to_bytes())
    return {
        "recipe": sha256(recipe.model_dump_json(exclude={"card"}).encode()).hexdigest(),
        "seed": str(seed),
        "data": data.hexdigest(),
    }


def write_checkpoint(path: Path, state: Mapping[str, Any], identity: Mapping[str, str]) -> None:
    """Replace a checkpoint; a crash at any moment leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        torch.save({"identity": dict(identity), "state": dict(state)}, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_checkpoint(path: Path, identity: Mapping[str, str]) -> dict[str, Any] | None:
    """Read a checkpoint, as tensors, numbers and text only; None if there is none.

    Raises
    ------
    DataError
        It is damaged, or of a training with another recipe, seed or data.
    """
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        written_by, state = content["identity"], content["state"]
    except (OSError, RuntimeError, EOFError, UnpicklingError, KeyError, TypeError) as error:
        msg = f"The checkpoint {path} cannot be read ({error}): remove it, or leave out --resume"
        raise DataError(msg) from error
    differing = [name for name, value in identity.items() if written_by.get(name) != value]
    if differing:
        msg = (
            f"The checkpoint {path} is of a training with another {' and '.join(differing)}: "
            "give what it was begun with, or leave out --resume to begin anew"
        )
        raise DataError(msg)
    return dict(state)
