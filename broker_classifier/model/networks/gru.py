"""GRU on a grid: two layers, the class from the last cell. The poster's baseline.

After "Pay attention to the Flare" (A. Ibsen): GRU, dropout, batch normalisation, twice, then
dropout and a linear layer. The trunk is shared with the attentive GRU, so that the two differ in
nothing but what they do with its outputs.
"""

from typing import cast

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class GRUConfig(BaseModel):
    """Sizes: input channels, classes, GRU width; dropout acts in training only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_channels: int = Field(gt=0)
    n_classes: int = Field(gt=1)
    hidden: int = Field(100, gt=0)
    dropout: float = Field(0.2, ge=0, lt=1)


class GRUTrunk(nn.Module):
    """Grid to hidden states: GRU, dropout, batch normalisation, and again, and dropout."""

    def __init__(self, n_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.gru_0 = nn.GRU(n_channels, width, batch_first=True)
        self.norm_0 = nn.BatchNorm1d(width)
        self.gru_1 = nn.GRU(width, width, batch_first=True)
        self.norm_1 = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, grid: Tensor) -> Tensor:
        """Turn a grid (B, L, n_channels) into hidden states (B, L, width)."""
        below, _ = self.gru_0(grid)  # (B, L, C) -> (B, L, H)
        below = _normalised(self.norm_0, self.dropout(below))
        above, _ = self.gru_1(below)
        above = _normalised(self.norm_1, self.dropout(above))
        return cast("Tensor", self.dropout(above))


class GRU(nn.Module):
    """The trunk and a linear layer on its last hidden state."""

    def __init__(self, config: GRUConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = GRUTrunk(config.n_channels, config.hidden, config.dropout)
        self.output = nn.Linear(config.hidden, config.n_classes)

    def forward(self, grid: Tensor) -> tuple[Tensor, None]:
        """Predict from a grid (B, L, n_channels): logits (B, n_classes), and no attention."""
        hidden = self.trunk(grid)
        return self.output(hidden[:, -1]), None  # (B, L, H) -> (B, H) -> (B, K)


def _normalised(norm: nn.BatchNorm1d, hidden: Tensor) -> Tensor:
    """Normalise each unit over light curves and cells; BatchNorm1d wants them in between."""
    return cast("Tensor", norm(hidden.transpose(1, 2)).transpose(1, 2))  # (B, L, H) -> (B, H, L)
