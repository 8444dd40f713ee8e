"""Kafka's messages as ours: what is believed of them, and whose alerts they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE
from confluent_kafka import Message as KafkaMessage

from broker_classifier.config import topic_matches
from broker_classifier.errors import ConfigError, DecodeError
from broker_classifier.streams.kafka_clients import MAX_MESSAGE_BYTES
from broker_classifier.streams.message import REPLAYED_FROM, Message

LATEST_TIMESTAMP_MS = 4_102_444_800_000  # 2100; a producer that stamps microseconds is not believed


def received(message: KafkaMessage, survey: str) -> Message:
    """Take over a message of a survey's topic."""
    kind, timestamp_ms = message.timestamp()
    value = message.value() or b""
    return Message(
        value=value,
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=timestamp_ms if _is_credible(kind, timestamp_ms) else None,
        survey=survey,
        error=_too_large(value),
        replayed_from=_replayed_from(message.headers()),
    )


def survey_of_topic(topic: str, surveys: Mapping[str, Sequence[str]]) -> str:
    """Tell which survey a topic belongs to, by the names and patterns of the settings.

    >>> survey_of_topic("ztf_20210701_programid1", {"lsst": ["alerts"], "ztf": ["^ztf_.*"]})
    'ztf'

    Raises
    ------
    ConfigError
        If none claims it.
    """
    for survey, names in surveys.items():
        for name in names:
            if topic_matches(name, topic):
                return survey
    reason = f"the topic {topic} belongs to no survey; add it to surveys.<name>.topics"
    raise ConfigError(reason)


def _too_large(value: bytes) -> DecodeError | None:
    if len(value) <= MAX_MESSAGE_BYTES:
        return None
    return DecodeError(
        f"the message has {len(value)} bytes, no alert more than {MAX_MESSAGE_BYTES}"
    )


def _replayed_from(headers: Any) -> str:
    """Find the place of the dead letter that a message is, if it is one that was sent back."""
    return next((text.decode() for name, text in headers or () if name == REPLAYED_FROM), "")


def _is_credible(kind: int, timestamp_ms: int) -> bool:
    return kind != TIMESTAMP_NOT_AVAILABLE and 0 < timestamp_ms < LATEST_TIMESTAMP_MS
