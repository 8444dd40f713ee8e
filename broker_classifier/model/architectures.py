"""The architectures, by the name that `bundle.json` gives them: what each takes and is made of."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from broker_classifier.model.blend_encoder import BlendEncoder, Member
from broker_classifier.model.encoder import Encoder
from broker_classifier.model.grid_encoder import GridEncoder
from broker_classifier.model.grid_input import Grid
from broker_classifier.model.inputs import ModelInput
from broker_classifier.model.networks import Network
from broker_classifier.model.networks.attentive_gru import AttentiveGRU, AttentiveGRUConfig
from broker_classifier.model.networks.blend import Blend, BlendConfig
from broker_classifier.model.networks.fcn import FCN, FCNConfig
from broker_classifier.model.networks.gru import GRU, GRUConfig
from broker_classifier.model.networks.resnet import ResNet, ResNetConfig
from broker_classifier.model.networks.streaming_attentive_gru import (
    StreamingAttentiveGRU,
    StreamingAttentiveGRUConfig,
)
from broker_classifier.model.point_input import Normalisation
from broker_classifier.model.streaming_encoder import StreamingEncoder
from broker_classifier.model.trees.boosted_trees import BoostedTrees, BoostedTreesConfig
from broker_classifier.model.trees.prefix_features import Features
from broker_classifier.model.trees.tree_encoder import TreeEncoder


class Parts(NamedTuple):
    """What an encoder is made of: the parts of a loaded bundle.

    Attributes
    ----------
    network : Network
        Of the architecture, with its weights.
    bands : sequence of str
        Letters of the bundle's bands.
    input : ModelInput
        Of the architecture's kind.
    bundle_hash : str
    members : sequence of Member
        Of a blend.
    """

    network: Any
    bands: Sequence[str]
    input: Any
    bundle_hash: str
    members: Sequence[Member]


class Architecture(NamedTuple):
    """All that a name stands for.

    Attributes
    ----------
    config : type of BaseModel
        The configuration of the network.
    network : type of Network
        Made of a configuration.
    input : type of ModelInput
        The kind of input that it takes.
    open_encoder : callable
        Makes the encoder.
    """

    config: type[BaseModel]
    network: type[Network]
    input: type[Normalisation | Grid | Features]
    open_encoder: Callable[[Parts], Encoder]


def _on_grid(config: type[BaseModel], network: type[Network]) -> Architecture:
    return Architecture(
        config, network, Grid, lambda parts: GridEncoder(parts.network, parts.bands, parts.input)
    )


ARCHITECTURES = {
    "streaming_attentive_gru": Architecture(
        StreamingAttentiveGRUConfig,
        StreamingAttentiveGRU,
        Normalisation,
        lambda parts: StreamingEncoder(*parts[:4]),
    ),
    "boosted_trees": Architecture(
        BoostedTreesConfig,
        BoostedTrees,
        Features,
        lambda parts: TreeEncoder(parts.network, parts.bands, parts.input),
    ),
    "blend": Architecture(
        BlendConfig, Blend, Normalisation, lambda parts: BlendEncoder(parts.network, parts.members)
    ),
    "attentive_gru": _on_grid(AttentiveGRUConfig, AttentiveGRU),
    "gru": _on_grid(GRUConfig, GRU),
    "fcn": _on_grid(FCNConfig, FCN),
    "resnet": _on_grid(ResNetConfig, ResNet),
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
    entry = ARCHITECTURES[architecture]
    return entry.network(entry.config(**config)).eval()  # type: ignore[arg-type]


def full_config(architecture: str, config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults; raises as `build_network` does."""
    return ARCHITECTURES[architecture].config(**config).model_dump()


def implied_config(
    architecture: str, band_letters: Sequence[str], classes: Sequence[str], model_input: ModelInput
) -> dict[str, Any]:
    """Give the part of a network's configuration that its input and its classes decide.

    Raises
    ------
    ValueError
        The architecture is unknown, or takes another kind of input.

    Examples
    --------
    >>> implied_config("fcn", "gr", ("SNIa", "SNII"), Grid(length=64))
    {'n_channels': 4, 'n_classes': 2, 'length': 64}
    """
    if architecture not in ARCHITECTURES:
        msg = f"architecture {architecture!r} is unknown, not in {sorted(ARCHITECTURES)}"
        raise ValueError(msg)
    entry = ARCHITECTURES[architecture]
    if model_input.kind != entry.input.kind:
        msg = f"normalisation: {architecture} takes {', '.join(entry.input.model_fields)}"
        raise ValueError(msg)
    sizes = {
        "n_channels": len(model_input.channel_names(band_letters)),
        "n_classes": len(classes),
        **model_input.sizes(),
    }
    return {name: size for name, size in sizes.items() if name in entry.config.model_fields}
