"""The networks, by the name that `bundle.json` gives them."""

from typing import Any, NamedTuple

from broker_classifier.models.streaming_attentive_gru import (
    StreamingAttentiveGRU,
    StreamingAttentiveGRUConfig,
)


class Architecture(NamedTuple):
    """A network and the pydantic model of its configuration."""

    config: type[StreamingAttentiveGRUConfig]
    network: type[StreamingAttentiveGRU]


ARCHITECTURES = {
    "streaming_attentive_gru": Architecture(StreamingAttentiveGRUConfig, StreamingAttentiveGRU),
}


def build_network(architecture: str, config: dict[str, Any]) -> StreamingAttentiveGRU:
    """Build a network with untrained weights, in evaluation mode.

    Raises
    ------
    KeyError
        The architecture is not in the registry.
    pydantic.ValidationError
        The configuration does not fit it.
    """
    known = ARCHITECTURES[architecture]
    return known.network(known.config(**config)).eval()
