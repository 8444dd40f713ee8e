"""From a survey's bytes to an `Alert`; what differs between surveys stays in this folder."""

from collections.abc import Callable

from broker_classifier.surveys import ztf
from broker_classifier.surveys.alert import Alert

DECODERS: dict[str, Callable[[bytes], Alert]] = {"ztf": ztf.decode}

__all__ = ["DECODERS", "Alert"]
