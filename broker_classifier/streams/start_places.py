"""Where reading begins on partitions without a committed offset, and which topics are gone."""

from collections.abc import Collection, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import InputLostError
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
        self._since = settings.since
        self.is_earliest = settings.since is None and settings.auto_offset_reset == "earliest"
        self._there_at_first: set[Place] | None = None

    def look_around(self, consumer: Consumer) -> None:
        """Note what is there already; call it before the consumer subscribes."""
        if not self.is_earliest and self._since is None and self._there_at_first is None:
            try:
                self._there_at_first = _partitions_there(consumer)
            except KafkaException:
                return  # Kafka is away: what is there when it answers counts

    def find(self, consumer: Consumer, assigned: Sequence[TopicPartition]) -> dict[Place, int]:
        """Return the offsets to begin at, of those partitions that have none committed.

        Raises
        ------
        InputLostError
            If Kafka does not say.
        """
        if self.is_earliest or not assigned:
            return {}
        self.look_around(consumer)
        try:
            committed = consumer.committed(list(assigned), timeout=TIMEOUT_S)
            new = [place for place in committed if place.offset < 0]
            return {(place.topic, place.partition): self._begin(consumer, place) for place in new}
        except KafkaException as error:
            msg = f"Kafka does not say where to begin: {error.args[0].str()}"
            raise InputLostError(msg) from error

    def _begin(self, consumer: Consumer, place: TopicPartition) -> int:
        if self._since is not None:
            [start] = offsets_at(consumer, [place], self._since, timeout=TIMEOUT_S)
            return int(start.offset)
        low, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        is_old = (place.topic, place.partition) in (self._there_at_first or ())
        return end if is_old else low


def topics_gone(consumer: Consumer, topics: Collection[str]) -> set[str]:
    """Return those topics that Kafka has no more; none where it does not answer."""
    try:
        there = consumer.list_topics(timeout=TOPICS_TIMEOUT_S).topics
    except KafkaException:
        return set()
    return set(topics) - set(there)


def _partitions_there(consumer: Consumer) -> set[Place]:
    topics = consumer.list_topics(timeout=TOPICS_TIMEOUT_S).topics
    return {(name, number) for name, topic in topics.items() for number in topic.partitions}
