"""Read all of a topic from places that the reader keeps itself: no group, nothing committed."""

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.streams.kafka_clients import client_settings, has_value, opened

_METADATA_TIMEOUT_S = 5.0


class TopicReader:
    """One topic, every partition of it.

    Parameters
    ----------
    settings : KafkaSettings
    topic : str
    """

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self.topic = topic
        self._address = settings.bootstrap_servers
        self._partitions: set[int] = set()
        self._consumer = opened(
            Consumer,
            {
                "group.id": "broker-classifier-reader",  # librdkafka wants one; it is not joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
            | client_settings(settings)
            | {"error_cb": lambda _: None},  # who reads is told by what is raised
        )

    def start(self, offsets: Mapping[int, int]) -> None:
        """Begin at these offsets, by partition; at the beginning where none is given.

        Call it again now and then: partitions that have been added are taken up.

        Raises
        ------
        OutputUnavailableError
            If Kafka does not answer, or has no such topic yet.
        """
        new = sorted(self._partitions_there() - self._partitions)
        if new:
            places = [TopicPartition(self.topic, n, offsets.get(n, 0)) for n in new]
            try:
                self._consumer.incremental_assign(places)
            except KafkaException as error:
                raise OutputUnavailableError(error.args[0].str()) from error
            self._partitions |= set(new)

    def cluster_id(self) -> str:
        """Name the cluster: offsets of another one mean nothing here.

        Raises
        ------
        OutputUnavailableError
            If Kafka does not answer.
        """
        try:
            metadata = self._consumer.list_topics(timeout=_METADATA_TIMEOUT_S)
        except KafkaException as error:
            raise self._silent(error) from error
        return str(metadata.cluster_id or "")

    def read(self, most: int, timeout_s: float) -> list[KafkaMessage]:
        """Return what is there, up to so many messages; waits for the first.

        Raises
        ------
        OutputUnavailableError
            If Kafka reports an error that does not pass by itself.
        """
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(most - 1, timeout=0)]
        return [message for message in messages if has_value(message, OutputUnavailableError)]

    def lag(self) -> int:
        """Count the messages that are there and not yet read, as far as the client knows."""
        behind = 0
        for place in self._consumer.position(
            [TopicPartition(self.topic, n) for n in sorted(self._partitions)]
        ):
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            behind += max(0, end - place.offset) if place.offset >= 0 else 0
        return behind

    def close(self) -> None:
        """Leave the topic."""
        self._consumer.close()

    def _partitions_there(self) -> set[int]:
        try:
            metadata = self._consumer.list_topics(self.topic, timeout=_METADATA_TIMEOUT_S)
        except KafkaException as error:
            raise self._silent(error) from error
        topic = metadata.topics[self.topic]
        if topic.error is not None:
            msg = f"the topic {self.topic} of {self._address} cannot be read: {topic.error.str()}"
            raise OutputUnavailableError(msg)
        return set(topic.partitions)

    def _silent(self, error: KafkaException) -> OutputUnavailableError:
        reason = error.args[0].str()
        return OutputUnavailableError(f"no Kafka answers at {self._address} ({reason})")
