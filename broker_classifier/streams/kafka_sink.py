"""Kafka as a destination: `confirm` returns when every message sent is confirmed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import NewTopic

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.light_curve.photometry import SECONDS_PER_DAY
from broker_classifier.logs import get_logger
from broker_classifier.streams.kafka_clients import (
    MAX_MESSAGE_BYTES,
    administrator,
    client_settings,
    opened,
)
from broker_classifier.streams.message import Message, Outgoing

LINGER_MS = 5
ADMIN_TIMEOUT_S = 10.0

log = get_logger()

OnDelivery = Callable[[KafkaError | None, KafkaMessage | None], None]


@dataclass(frozen=True)
class Delivery:
    """Messages on their way, and what is known of those that did not arrive.

    Attributes
    ----------
    messages, too_large : list of Outgoing
    failures : list of str
        Why others did not arrive.
    """

    messages: list[Outgoing] = field(default_factory=list)
    too_large: list[Outgoing] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def note(self, sent: Outgoing, error: KafkaError | None, _: KafkaMessage | None = None) -> None:
        """Note what became of a message."""
        if error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self.too_large.append(sent)
        elif error is not None:
            self.failures.append(error.str())


class KafkaSink:
    """Publishes to Kafka; a message is confirmed when all replicas have it.

    A message that is larger than its topic takes would hold up the stream for ever; its headers
    are published without the value, and say so.

    Parameters
    ----------
    settings : KafkaSettings
    topics : sequence of str
        Topics to create, at every connection, where they are missing.
    """

    def __init__(self, settings: KafkaSettings, topics: Sequence[str] = ()) -> None:
        self._settings = settings
        self._topics = topics
        self._producer = self._connect()
        self._delivery, self._is_lost = Delivery(), False

    def _connect(self) -> Producer:
        if self._topics:
            create_topics(self._settings, self._topics)
        timeout_ms = int(self._settings.delivery_timeout_s * 1000)
        return opened(
            Producer,
            {
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": LINGER_MS,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "delivery.timeout.ms": timeout_ms,
            }
            | client_settings(self._settings),
        )

    def publish(self, messages: Iterable[Outgoing]) -> None:
        """Deliver all messages before returning; raises as `confirm` does."""
        self.send(messages)
        self.confirm()

    def send(self, messages: Iterable[Outgoing], consumed: Sequence[Message] = ()) -> None:
        """Begin to deliver messages; see `Sink.send`."""
        self._delivery, self._is_lost = self._begun(messages), False

    def confirm(self) -> None:
        """Wait for the messages that were sent last; see `Sink.confirm`."""
        if self._is_lost:
            self.send(self._delivery.messages)
        too_large, failures = self._ended(self._delivery)
        for message in too_large:
            failures += self._deliver_alone(message)
        if failures:
            self._is_lost = True
            self._producer.purge()
            self._producer = self._connect()
            msg = (
                f"Kafka at {self._settings.bootstrap_servers} did not confirm "
                f"{len(failures)} messages ({failures[0]}); they are sent again when it does"
            )
            raise OutputUnavailableError(msg)

    def _deliver_alone(self, message: Outgoing) -> list[str]:
        """Send a message again: Kafka refuses a whole batch for one that is too large."""
        too_large, failures = self._ended(self._begun([message]))
        if too_large:
            _, failures = self._ended(self._begun([without_value(message)]))
        return failures

    def _begun(self, messages: Iterable[Outgoing]) -> Delivery:
        delivery = Delivery(list(messages))
        for message in delivery.messages:
            self._produce(message, partial(delivery.note, message))
        return delivery

    def _ended(self, delivery: Delivery) -> tuple[list[Outgoing], list[str]]:
        """Wait for a delivery; return the messages that were too large, and why others failed."""
        n_unsent = self._producer.flush(self._settings.delivery_timeout_s + 1.0)
        return delivery.too_large, delivery.failures + ["no answer"] * n_unsent

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
            except KafkaException as error:
                return on_delivery(error.args[0], None)

    def abandon(self) -> None:
        """Forget what was sent last: it may still be delivered."""
        self._delivery, self._is_lost = Delivery(), False

    def close(self) -> None:
        """Do nothing: what is not confirmed counts as not delivered."""


def without_value(message: Outgoing) -> Outgoing:
    """Leave out a value that is too large, and say so in the header `omitted`."""
    omitted = f"{len(message.value)} bytes, more than the topic takes"
    log.error("value omitted", topic=message.topic, size=omitted, headers=message.headers)
    return replace(message, value=b"", headers=message.headers | {"omitted": omitted})


def create_topics(settings: KafkaSettings, topics: Sequence[str]) -> None:
    """Create topics that are missing, so that a subscriber finds them before the first result.

    A broker that lets no client create topics is left to make them itself when it is written to.
    """
    admin = administrator(settings)
    days, config = settings.retention_days, {}
    if days is not None:
        config["retention.ms"] = str(int(days * SECONDS_PER_DAY * 1000))
    new = [
        NewTopic(name, settings.partitions, settings.replication, config=config) for name in topics
    ]
    for topic, created in admin.create_topics(new, request_timeout=ADMIN_TIMEOUT_S).items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                log.info("topic not created", topic=topic, reason=error.args[0].str())
