"""Residual network on a grid: three blocks of three convolutions, each with a skip.

After "Pay attention to the Flare" (A. Ibsen), itself after Wang et al. 2017, "Time series
classification from scratch with deep neural networks". The poster's code adds the normalised
output of the block once more in place of the skip; here the skip is the block's input, as meant.
"""

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

FILTERS = (64, 128, 128)
KERNELS = (8, 5, 3)


class ResNetConfig(BaseModel):
    """Sizes: input channels, classes, cells of the grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_channels: int = Field(gt=0)
    n_classes: int = Field(gt=1)
    length: int = Field(128, gt=0)


class ResidualBlock(nn.Module):
    """Three convolutions, padded on the right, plus a 1 × 1 convolution of the input; ReLU."""

    def __init__(self, n_in: int, n_filters: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_before = n_in
        for kernel in KERNELS:
            pad = nn.ConstantPad1d((0, kernel - 1), 0.0)
            convolution = nn.Conv1d(n_before, n_filters, kernel)
            layers += [pad, convolution, nn.BatchNorm1d(n_filters), nn.ReLU()]
            n_before = n_filters
        self.convolutions = nn.Sequential(*layers[:-1])  # the last ReLU comes after the sum
        self.skip = nn.Sequential(nn.Conv1d(n_in, n_filters, 1), nn.BatchNorm1d(n_filters))

    def forward(self, features: Tensor) -> Tensor:
        """Turn features (B, n_in, L) into features (B, n_filters, L)."""
        return nn.functional.relu(self.convolutions(features) + self.skip(features))


class ResNet(nn.Module):
    """Three blocks; neighbouring filters averaged in pairs; a linear layer on all cells."""

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config = config
        n_before = (config.n_channels, *FILTERS[:-1])
        self.blocks = nn.Sequential(
            *(ResidualBlock(n_in, n_out) for n_in, n_out in zip(n_before, FILTERS, strict=True))
        )
        self.pairs = nn.AvgPool1d(2)
        self.output = nn.Linear(config.length * FILTERS[-1] // 2, config.n_classes)

    def forward(self, grid: Tensor) -> tuple[Tensor, None]:
        """Predict from a grid (B, L, n_channels): logits (B, n_classes), and no attention."""
        features = self.blocks(grid.transpose(1, 2))  # (B, L, C) -> (B, C, L) -> (B, F, L)
        paired = self.pairs(features.transpose(1, 2))  # (B, L, F) -> (B, L, F / 2)
        return self.output(paired.flatten(1)), None
