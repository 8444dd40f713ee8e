"""From a survey's bytes to an `Alert`; what differs between surveys stays in this folder."""

from broker_classifier.surveys.alert import Alert, BatchDecoder

__all__ = ["Alert", "BatchDecoder"]
