"""Fully convolutional network on a grid: three convolutions without padding.

After "Pay attention to the Flare" (A. Ibsen), itself after Wang et al. 2017, "Time series
classification from scratch with deep neural networks". Unlike theirs it does not average over
time: neighbouring filters are averaged in pairs, and all cells go into the linear layer.
"""

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

FILTERS = (128, 256, 128)
KERNELS = (8, 5, 3)
LOST_CELLS = sum(KERNELS) - len(KERNELS)


class FCNConfig(BaseModel):
    """Sizes: input channels, classes, cells of the grid; dropout acts in training only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_channels: int = Field(gt=0)
    n_classes: int = Field(gt=1)
    length: int = Field(128, gt=LOST_CELLS)
    dropout: float = Field(0.2, ge=0, lt=1)


class FCN(nn.Module):
    """Convolution, batch normalisation, ReLU, three times; pairs of filters; a linear layer."""

    def __init__(self, config: FCNConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        n_in = config.n_channels
        for n_out, kernel in zip(FILTERS, KERNELS, strict=True):
            layers += [nn.Conv1d(n_in, n_out, kernel), nn.BatchNorm1d(n_out), nn.ReLU()]
            n_in = n_out
        self.convolutions = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.pairs = nn.AvgPool1d(2)
        self.output = nn.Linear((config.length - LOST_CELLS) * n_in // 2, config.n_classes)

    def forward(self, grid: Tensor) -> tuple[Tensor, None]:
        """Predict from a grid (B, L, n_channels): logits (B, n_classes), and no attention."""
        features = self.dropout(self.convolutions(grid.transpose(1, 2)))  # (B, C, L) -> (B, F, L')
        paired = self.pairs(features.transpose(1, 2))  # (B, L', F) -> (B, L', F / 2)
        return self.output(paired.flatten(1)), None
