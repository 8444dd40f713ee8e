"""Kafka as source and sink; nothing is committed before its results are confirmed."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient, NewTopic

from broker_classifier.config import KafkaSettings
from broker_classifier.errors import ConfigError, OutputUnavailableError
from broker_classifier.streams.message import Message, Outgoing

MAX_MESSAGE_BYTES = 10_000_000
TOPIC_REFRESH_MS = 5_000
LINGER_MS = 5

OnDelivery = Callable[[KafkaError | None, KafkaMessage], None]

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


class KafkaSink:
    """Publishes to Kafka and waits until every message is confirmed by all replicas."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer = self._connect()

    def _connect(self) -> Producer:
        timeout_ms = int(self._settings.delivery_timeout_s * 1000)
        return Producer(
            {
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": LINGER_MS,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "delivery.timeout.ms": timeout_ms,
            }
            | client_settings(self._settings)
        )

    def publish(self, messages: Iterable[Outgoing]) -> None:
        """Deliver all messages; see `Sink.publish`."""
        failures: list[str] = []

        def on_delivery(error: KafkaError | None, _: KafkaMessage) -> None:
            if error is not None:
                failures.append(error.str())

        try:
            for one in messages:
                self._produce(one, on_delivery)
            unsent = self._producer.flush(self._settings.delivery_timeout_s + 1.0)
        except KafkaException as error:
            unsent = 0
            failures.append(str(error.args[0]))
        if failures or unsent:
            self._producer.purge()
            self._producer = self._connect()
            reason = (
                f"Kafka at {self._settings.bootstrap_servers} did not confirm "
                f"{len(failures) + unsent} messages ({failures[0] if failures else 'no answer'}); "
                "they are sent again when it does"
            )
            raise OutputUnavailableError(reason)

    def _produce(self, message: Outgoing, on_delivery: OnDelivery) -> None:
        while True:
            try:
                return self._producer.produce(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers.items()),
                    on_delivery=on_delivery,
                )
            except BufferError:
                self._producer.poll(self._settings.poll_timeout_s)

    def close(self) -> None:
        """Do nothing: `publish` leaves nothing in the queue."""


def create_topics(settings: KafkaSettings, topics: Sequence[str], partitions: int = 1) -> None:
    """Create topics that are missing, so that a subscriber finds them before the first result.

    A broker that lets no client create topics is left to make them itself when it is written to.
    """
    admin = AdminClient(client_settings(settings))
    new = [NewTopic(topic, num_partitions=partitions) for topic in topics]
    for topic, created in admin.create_topics(new, request_timeout=10.0).items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                log.info("topic not created", topic=topic, reason=error.args[0].str())
