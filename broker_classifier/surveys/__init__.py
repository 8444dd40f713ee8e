"""From a survey's bytes to an `Alert`; what differs between surveys stays in this folder."""

from broker_classifier.surveys import ztf
from broker_classifier.surveys.alert import Alert, BatchDecoder

DECODERS: dict[str, BatchDecoder] = {"ztf": ztf.decode_batch}

__all__ = ["DECODERS", "Alert", "BatchDecoder"]
