"""The messages that stand in a topic now, read to its present end."""

from collections.abc import Callable, Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

TIMEOUT_S = 10.0
# Settings of the consumer. The last offset of a partition may be a transaction's mark, which no
# consumer is given: only Kafka's word of the end tells that nothing more comes.
READS_TO_END = {
    "enable.partition.eof": True,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
}

Starts = Callable[..., list[TopicPartition]]


def stored_messages(consumer: Consumer, topic: str, starts: Starts) -> Iterator[KafkaMessage]:
    """Yield the messages of a topic from where they are wanted to where it ends now.

    Parameters
    ----------
    consumer : Consumer
        Opened with `READS_TO_END`.
    topic : str
    starts : callable
        Called with the consumer, the partitions and `timeout`; gives them with their first offsets.

    Raises
    ------
    KafkaException
        If Kafka reports an error, or has not answered for `TIMEOUT_S`.
    """
    starting = starts(consumer, partitions_of(consumer, topic), timeout=TIMEOUT_S)
    ends = {}
    for place in starting:
        first, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        place.offset = max(place.offset, first)
        if place.offset < end:
            ends[place.partition] = end
    consumer.assign([place for place in starting if place.partition in ends])
    while ends:
        message = _next(consumer)
        partition, offset = message.partition() or 0, message.offset() or 0
        end = ends.get(partition, 0)
        if message.error() is None and offset < end:
            yield message
        if message.error() is not None or offset + 1 >= end:
            ends.pop(partition, None)


def _next(consumer: Consumer) -> KafkaMessage:
    """Wait for a message, or for Kafka's word that a partition ends."""
    message = consumer.poll(TIMEOUT_S)
    if message is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return message


def beginnings(_: Consumer, partitions: list[TopicPartition], **__: float) -> list[TopicPartition]:
    """Start at the beginning of every partition."""
    return partitions


def partitions_of(consumer: Consumer, topic: str) -> list[TopicPartition]:
    """List the partitions of a topic; none where there is no such topic."""
    listed = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
    return [TopicPartition(topic, partition) for partition in listed.partitions]
