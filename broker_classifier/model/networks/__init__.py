"""The networks, by the name that `bundle.json` gives them.

A streaming network takes one step a point and predicts at each. A grid network, one of the
poster's four, takes a light curve resampled to a grid and predicts once: `forward` gives the
logits, (B, n_classes), and the attention of each hop to each cell, (B, hops, L), or None where it
has no attention.
"""

from typing import Any, NamedTuple

from pydantic import BaseModel

from broker_classifier.model.networks.attentive_gru import AttentiveGRU, AttentiveGRUConfig
from broker_classifier.model.networks.fcn import FCN, FCNConfig
from broker_classifier.model.networks.gru import GRU, GRUConfig
from broker_classifier.model.networks.resnet import ResNet, ResNetConfig
from broker_classifier.model.networks.streaming_attentive_gru import (
    StreamingAttentiveGRU,
    StreamingAttentiveGRUConfig,
)

GridNetwork = AttentiveGRU | GRU | FCN | ResNet
Network = StreamingAttentiveGRU | GridNetwork


class Architecture(NamedTuple):
    """A network, the pydantic model of its configuration, and whether it takes a grid."""

    config: type[BaseModel]
    network: type[Network]
    takes_grid: bool


ARCHITECTURES = {
    "streaming_attentive_gru": Architecture(
        StreamingAttentiveGRUConfig, StreamingAttentiveGRU, takes_grid=False
    ),
    "attentive_gru": Architecture(AttentiveGRUConfig, AttentiveGRU, takes_grid=True),
    "gru": Architecture(GRUConfig, GRU, takes_grid=True),
    "fcn": Architecture(FCNConfig, FCN, takes_grid=True),
    "resnet": Architecture(ResNetConfig, ResNet, takes_grid=True),
}


def build_network(architecture: str, config: dict[str, Any]) -> Network:
    """Build a network with untrained weights, in evaluation mode.

    Raises
    ------
    KeyError
        The architecture is not in the registry.
    pydantic.ValidationError
        The configuration does not fit it.
    """
    known = ARCHITECTURES[architecture]
    return known.network(known.config(**config)).eval()  # type: ignore[arg-type]


def full_config(architecture: str, config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults; raises as `build_network` does."""
    return ARCHITECTURES[architecture].config(**config).model_dump()
