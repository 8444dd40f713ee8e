"""The sum of members' log scores: its only weights say how much each member counts, and when."""

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from broker_classifier.model.calibration import node_shares

N_POINTS = (1.0, 3.0, 10.0, 30.0)  # the weights are given there, and linear in ln n between them

Floats = NDArray[np.float64]


class BlendConfig(BaseModel):
    """Sizes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_channels: int = Field(gt=0)
    n_classes: int = Field(gt=1)
    n_members: int = Field(2, gt=1)


class Blend(nn.Module):
    """A weighted sum of log scores; the members themselves are bundles of their own."""

    weight: torch.Tensor

    def __init__(self, config: BlendConfig) -> None:
        super().__init__()
        self.config = config
        even = torch.full((len(N_POINTS), config.n_members), 1.0 / config.n_members)
        self.register_buffer("weight", even.double())

    def joined(self, scores: Floats, n_points: NDArray[np.int64]) -> Floats:
        """Join log scores.

        Parameters
        ----------
        scores : float array, shape (n_members, n, n_classes)
            ln(probability / prior) as each member says.
        n_points : int array, shape (n,)
            Points used.

        Returns
        -------
        float array, shape (n, n_classes)
            Logits under equal priors, up to a constant in each row.
        """
        share = node_shares(n_points, N_POINTS) @ self.weight.numpy()  # (n, n_members)
        return np.asarray(np.einsum("nm,mnk->nk", share, scores))
