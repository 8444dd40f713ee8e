"""Boosted trees as a network: its weights are the arrays of a forest, its input a row of features.

Trained outside of PyTorch (`training.fit.fit_trees`); here they are read from safetensors like any
weights, checked, and run by a compiled loop.
"""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from broker_classifier.model.trees.forest import Forest, check_forest, longest_path, run_forest


class BoostedTreesConfig(BaseModel):
    """Sizes; n_trees is a multiple of n_classes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_channels: int = Field(gt=0)
    n_classes: int = Field(gt=1)
    n_trees: int = Field(0, ge=0)
    n_leaves: int = Field(16, ge=2, le=2**14)

    @model_validator(mode="after")
    def _trees_are_shared_out(self) -> "BoostedTreesConfig":
        if self.n_trees % (4 * self.n_classes):
            msg = f"n_trees must be a multiple of {4 * self.n_classes}, 4 times n_classes"
            raise ValueError(msg)
        return self


class BoostedTrees(nn.Module):
    """Trees whose leaves add up to logits."""

    def __init__(self, config: BoostedTreesConfig) -> None:
        super().__init__()
        self.config = config
        nodes = (config.n_trees, config.n_leaves - 1)
        self.register_buffer("feature", torch.zeros(nodes, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(nodes))
        self.register_buffer("child", torch.full((*nodes, 2), -1, dtype=torch.int16))
        self.register_buffer("value", torch.zeros(config.n_trees, config.n_leaves))

    @cached_property
    def forest(self) -> Forest:
        """The arrays as numpy knows them; they share the memory."""
        return Forest(*(self.get_buffer(name).numpy() for name in Forest._fields))

    @cached_property
    def depth(self) -> int:
        """The most nodes on a way from a root to a leaf."""
        return longest_path(self.forest.child)

    def load_state_dict(self, *given: Any, **options: Any) -> Any:
        """Take weights as any network does, and refuse arrays that are no trees: a ValueError."""
        loaded = super().load_state_dict(*given, **options)
        check_forest(self.forest, self.config.n_channels)
        return loaded

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits, (n, n_channels) to (n, n_classes)."""
        return run_forest(features, self.forest, self.depth, self.config.n_classes)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Compute logits, (n, 1, n_channels) to (n, n_classes), and no attention."""
        return torch.from_numpy(self.run(features[:, 0].numpy())), None
