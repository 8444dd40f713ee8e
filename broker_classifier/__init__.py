"""Class probabilities for astronomical transients, from survey alerts as they arrive."""

from broker_classifier.subscriber import subscribe

__version__ = "0.1.0"
__all__ = ["subscribe"]
