"""The memory of the service: every object's light curve, and which alerts have been answered."""

from broker_classifier.store.beside import StoreBeside
from broker_classifier.store.embedded import EmbeddedStore
from broker_classifier.store.memory import MemoryStore
from broker_classifier.store.port import LightCurveStore, StoreReader
from broker_classifier.store.record import (
    ANSWERED,
    UNKNOWN,
    AnsweredAlert,
    ObjectRecord,
    Standing,
    answered,
)

__all__ = [
    "ANSWERED",
    "UNKNOWN",
    "AnsweredAlert",
    "EmbeddedStore",
    "LightCurveStore",
    "MemoryStore",
    "ObjectRecord",
    "Standing",
    "StoreBeside",
    "StoreReader",
    "answered",
]
