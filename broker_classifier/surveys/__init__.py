"""From a survey's bytes to an `Alert`; what differs between surveys stays in this folder."""

from collections.abc import Callable, Sequence

from broker_classifier.errors import MessageError
from broker_classifier.surveys import ztf
from broker_classifier.surveys.alert import Alert

BatchDecoder = Callable[[Sequence[bytes]], list[Alert | MessageError]]

DECODERS: dict[str, BatchDecoder] = {"ztf": ztf.decode_batch}

__all__ = ["DECODERS", "Alert", "BatchDecoder"]
