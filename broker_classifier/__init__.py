"""Class probabilities for astronomical transients, from survey alerts as they arrive."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker_classifier.streams.subscribe import subscribe

__version__ = "0.1.0"
__all__ = ["subscribe"]


def __getattr__(name: str) -> Any:
    """Import `subscribe` when it is asked for: most parts of the package need no Kafka."""
    if name == "subscribe":
        from broker_classifier.streams.subscribe import subscribe

        return subscribe
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
