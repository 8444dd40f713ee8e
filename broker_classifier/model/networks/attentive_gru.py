"""Attentive GRU on a grid: the class from `hops` weighted means of all hidden states.

After "Pay attention to the Flare" (A. Ibsen); its attention is that of Lin et al. 2017, "A
structured self-attentive sentence embedding": a = softmax over the cells of w2 tanh(W1 h), without
biases and without their penalty on hops that agree. W1 has `attention` rows (their d_a), w2 has
`hops` (their r).
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from broker_classifier.model.networks.gru import GRUConfig, GRUTrunk


class AttentiveGRUConfig(GRUConfig):
    """Those of the GRU, the attention's width d_a, and its number of hops r."""

    attention: int = Field(50, gt=0)
    hops: int = Field(1, gt=0)


class AttentiveGRU(nn.Module):
    """The GRU's trunk, and a linear layer on the attention's context."""

    def __init__(self, config: AttentiveGRUConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = GRUTrunk(config.n_channels, config.hidden, config.dropout)
        self.key = nn.Linear(config.hidden, config.attention, bias=False)
        self.query = nn.Linear(config.attention, config.hops, bias=False)
        self.output = nn.Linear(config.hops * config.hidden, config.n_classes)

    def forward(self, grid: Tensor) -> tuple[Tensor, Tensor]:
        """Predict from grids.

        Parameters
        ----------
        grid : (B, L, n_channels)

        Returns
        -------
        logits : (B, n_classes)
        attention : (B, hops, L)
            Each hop sums to 1 over the cells.
        """
        hidden = self.trunk(grid)  # (B, L, C) -> (B, L, H)
        energy = self.query(torch.tanh(self.key(hidden)))  # (B, L, H) -> (B, L, r)
        attention = torch.softmax(energy, dim=1).transpose(1, 2)  # -> (B, r, L)
        context = attention @ hidden  # -> (B, r, H)
        return self.output(context.flatten(1)), attention  # (B, r, H) -> (B, r H) -> (B, K)
