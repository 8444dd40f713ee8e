"""Kafka as a source of alerts; what has not been committed is read again after a crash."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as KafkaMessage

from broker_classifier.config import KafkaSettings
from broker_classifier.errors import ConfigError
from broker_classifier.streams.message import Message

MAX_MESSAGE_BYTES = 10_000_000
TOPIC_REFRESH_MS = 5_000

log = structlog.get_logger()

_STALE_MEMBERSHIP = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._STATE,
    KafkaError._NO_OFFSET,
}


def client_settings(settings: KafkaSettings) -> dict[str, Any]:
    """Return the librdkafka settings that all clients share."""
    return {"bootstrap.servers": settings.bootstrap_servers, "log_level": 3, **settings.client}


def headers_of(message: KafkaMessage) -> dict[str, str]:
    """Return the headers of a message as text."""
    headers: dict[str, Any] = dict(message.headers() or ())
    return {name: (value or b"").decode(errors="replace") for name, value in headers.items()}


class KafkaSource:
    """Reads alert topics as a member of a consumer group.

    Parameters
    ----------
    settings : KafkaSettings
    surveys : mapping of str to sequence of str
        The topics of every survey; a topic that begins with ^ is a regular expression.
    """

    def __init__(self, settings: KafkaSettings, surveys: Mapping[str, Sequence[str]]) -> None:
        self._settings = settings
        self._surveys = surveys
        self._survey_of: dict[str, str] = {}
        self._consumer = Consumer(
            {
                "group.id": settings.group_id,
                "enable.auto.commit": False,
                "auto.offset.reset": settings.auto_offset_reset,
                "partition.assignment.strategy": "cooperative-sticky",
                "topic.metadata.refresh.interval.ms": TOPIC_REFRESH_MS,
                "fetch.wait.max.ms": 10,
                "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
            }
            | client_settings(settings)
        )
        self._consumer.subscribe([topic for topics in surveys.values() for topic in topics])

    @property
    def is_exhausted(self) -> bool:
        """A topic never ends."""
        return False

    def poll(self) -> list[Message]:
        """Wait for a first alert, then take what else is there, up to the batch size."""
        first = self._consumer.poll(self._settings.poll_timeout_s)
        if first is None:
            return []
        more = self._consumer.consume(self._settings.batch_size - 1, timeout=0)
        return [self._message(one) for one in [first, *more] if _is_alert(one)]

    def commit(self, messages: Sequence[Message]) -> None:
        """Commit the offsets after these messages.

        A commit that Kafka refuses because the partitions have moved to another worker is no
        error: that worker reads the messages again and finds them answered.
        """
        next_offset: dict[tuple[str, int], int] = {}
        for one in messages:
            place = one.topic, one.partition
            next_offset[place] = max(one.offset + 1, next_offset.get(place, 0))
        offsets = [TopicPartition(*place, offset) for place, offset in next_offset.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() not in _STALE_MEMBERSHIP and not error.args[0].retriable():
                raise
            log.warning("commit refused, the messages will come again", reason=str(error.args[0]))

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._consumer.close()

    def _message(self, message: KafkaMessage) -> Message:
        kind, timestamp_ms = message.timestamp()
        topic = message.topic() or ""
        return Message(
            value=message.value() or b"",
            topic=topic,
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            timestamp_ms=0 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms,
            survey=self._survey(topic),
        )

    def _survey(self, topic: str) -> str:
        if topic not in self._survey_of:
            self._survey_of[topic] = survey_of_topic(topic, self._surveys)
        return self._survey_of[topic]


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
            if topic == name or (name.startswith("^") and re.match(name, topic)):
                return survey
    reason = f"the topic {topic} belongs to no survey; add it to surveys.<name>.topics"
    raise ConfigError(reason)


def _is_alert(message: KafkaMessage) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    if error.code() != KafkaError._PARTITION_EOF:
        log.warning("kafka reports", reason=error.str(), topic=message.topic())
    return False
