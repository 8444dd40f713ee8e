"""The sum of members' log scores: its only weights say how much each member counts, and when."""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from broker_classifier.compiled import cached

N_POINTS = (1.0, 3.0, 10.0, 30.0)  # the weights are given there, and linear in ln n between them

_LOG_N_POINTS = np.log(N_POINTS)
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
        return _joined(scores, np.log(n_points), _LOG_N_POINTS, self._weights)

    @cached_property
    def _weights(self) -> Floats:
        return np.asarray(self.weight.numpy())  # it shares the memory


@cached
def _joined(scores: Floats, at: Floats, nodes: Floats, weight: Floats) -> Floats:
    n_members, n, n_classes = scores.shape
    logits = np.zeros((n, n_classes))
    for r in range(n):
        i = 0
        while i + 2 < len(nodes) and at[r] >= nodes[i + 1]:
            i += 1
        share = (at[r] - nodes[i]) / (nodes[i + 1] - nodes[i])
        share = min(max(share, 0.0), 1.0)
        for m in range(n_members):
            of_member = weight[i, m] + share * (weight[i + 1, m] - weight[i, m])
            for k in range(n_classes):
                logits[r, k] += of_member * scores[m, r, k]
    return logits
