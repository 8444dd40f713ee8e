"""Where reading begins on partitions without a committed offset, and which topics are gone."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import InputLostError
from broker_classifier.streams.kafka_clients import client_settings, opened
from broker_classifier.streams.offsets_at import offsets_at

TIMEOUT_S, TOPICS_TIMEOUT_S = 10.0, 3.0

Place = tuple[str, int]  # topic and partition


class StartPlaces:
    """Finds where to begin, as `kafka.since` or `kafka.auto_offset_reset` says.

    A committed offset comes first. "latest" passes over what was there when this process began:
    partitions that came later are read from their beginning, as those of tonight's topic are.

    Parameters
    ----------
    settings : KafkaSettings
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._since = settings.since
        self.is_earliest = settings.since is None and settings.auto_offset_reset == "earliest"
        self._there_at_first: set[Place] | None = None

    def look_around(self) -> None:
        """Note what is there already; call it before a consumer subscribes."""
        if not self.is_earliest and self._since is None and self._there_at_first is None:
            with suppress(KafkaException), asking(self._settings) as consumer:
                self._there_at_first = _partitions_there(consumer)

    def find(self, assigned: Sequence[TopicPartition]) -> dict[Place, int]:
        """Return the offsets to begin at, of those partitions that have none committed.

        Raises
        ------
        InputLostError
            If Kafka does not say.
        """
        if self.is_earliest or not assigned:
            return {}
        self.look_around()
        try:
            with asking(self._settings) as consumer:
                committed = consumer.committed(list(assigned), timeout=TIMEOUT_S)
                new = [place for place in committed if place.offset < 0]
                starts = [self._begin(consumer, place) for place in new]
        except KafkaException as error:
            msg = f"Kafka does not say where to begin: {error.args[0].str()}"
            raise InputLostError(msg) from error
        places = [(place.topic, place.partition) for place in new]
        return dict(zip(places, starts, strict=True))

    def _begin(self, consumer: Consumer, place: TopicPartition) -> int:
        if self._since is not None:
            [start] = offsets_at(consumer, [place], self._since, timeout=TIMEOUT_S)
            return int(start.offset)
        low, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        is_old = (place.topic, place.partition) in (self._there_at_first or ())
        return end if is_old else low


@contextmanager
def asking(settings: KafkaSettings) -> Iterator[Consumer]:
    """Open a consumer that only asks, for its group.

    The consumer that reads must not ask in its own callbacks: confluent-kafka 2.16 then ends the
    process at the next callback.
    """
    consumer = opened(Consumer, {"group.id": settings.group_id} | client_settings(settings))
    try:
        yield consumer
    finally:
        consumer.close()


def topics_gone(settings: KafkaSettings, topics: Collection[str]) -> set[str]:
    """Return those topics that Kafka has no more; none where it does not answer."""
    try:
        with asking(settings) as consumer:
            return set(topics) - set(consumer.list_topics(timeout=TOPICS_TIMEOUT_S).topics)
    except KafkaException:
        return set()


def _partitions_there(consumer: Consumer) -> set[Place]:
    topics = consumer.list_topics(timeout=TOPICS_TIMEOUT_S).topics
    return {(name, number) for name, topic in topics.items() for number in topic.partitions}
