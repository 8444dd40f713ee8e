"""Kafka as a destination: `publish` returns when every message is confirmed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient, NewTopic

from broker_classifier.config import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.streams.kafka import MAX_MESSAGE_BYTES, client_settings, opened
from broker_classifier.streams.message import Outgoing

LINGER_MS = 5
ADMIN_TIMEOUT_S = 10.0

log = structlog.get_logger()

OnDelivery = Callable[[KafkaError | None, KafkaMessage | None], None]


class KafkaSink:
    """Publishes to Kafka and waits until every message is confirmed by all replicas.

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
        """Deliver all messages; see `Sink.publish`."""
        too_large, failures = self._deliver(messages)
        for one in too_large:
            failures += self._deliver_alone(one)
        if failures:
            self._producer.purge()
            self._producer = self._connect()
            msg = (
                f"Kafka at {self._settings.bootstrap_servers} did not confirm "
                f"{len(failures)} messages ({failures[0]}); they are sent again when it does"
            )
            raise OutputUnavailableError(msg)

    def _deliver_alone(self, message: Outgoing) -> list[str]:
        """Send one again: Kafka refuses a whole batch for the sake of one that is too large."""
        too_large, failures = self._deliver([message])
        if too_large:
            _, failures = self._deliver([without_value(message)])
        return failures

    def _deliver(self, messages: Iterable[Outgoing]) -> tuple[list[Outgoing], list[str]]:
        """Send messages and wait; return those that were too large, and why others failed."""
        too_large: list[Outgoing] = []
        failures: list[str] = []

        def on_delivery(sent: Outgoing, error: KafkaError | None, _: KafkaMessage | None) -> None:
            if error is None:
                return
            if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                too_large.append(sent)
            else:
                failures.append(error.str())

        for one in messages:
            self._produce(one, partial(on_delivery, one))
        n_unsent = self._producer.flush(self._settings.delivery_timeout_s + 1.0)
        return too_large, failures + ["no answer"] * n_unsent

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

    def close(self) -> None:
        """Do nothing: `publish` leaves nothing in the queue."""


def without_value(message: Outgoing) -> Outgoing:
    """Leave out a value that is too large, and say so in the header `omitted`."""
    omitted = f"{len(message.value)} bytes, more than the topic takes"
    log.error("value omitted", topic=message.topic, size=omitted, **message.headers)
    return replace(message, value=b"", headers=message.headers | {"omitted": omitted})


def create_topics(settings: KafkaSettings, topics: Sequence[str], partitions: int = 1) -> None:
    """Create topics that are missing, so that a subscriber finds them before the first result.

    A broker that lets no client create topics is left to make them itself when it is written to.
    """
    admin = opened(AdminClient, client_settings(settings))
    new = [NewTopic(topic, num_partitions=partitions) for topic in topics]
    for topic, created in admin.create_topics(new, request_timeout=ADMIN_TIMEOUT_S).items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                log.info("topic not created", topic=topic, reason=error.args[0].str())
