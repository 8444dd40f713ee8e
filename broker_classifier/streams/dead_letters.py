"""Messages that could not be used: their bytes, untouched, the reason, and where they came from."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from broker_classifier.config_kafka import KafkaSettings
from broker_classifier.errors import MessageError, OutputUnavailableError
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.kafka_clients import client_settings, headers_of, opened
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.message import Message, Outgoing

REPLAY_GROUP_SUFFIX = "-dead-letters-replay"
REPLAY_BATCH = 500
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter as it stands in its topic.

    Attributes
    ----------
    reason : str
        Name of the error, such as DecodeError.
    explanation : str
        The error's sentence.
    topic, partition, offset, timestamp_ms
        Where and when the message was received; -1 where that is not known.
    is_omitted : bool
        The message was too large for the dead-letter topic, so only this note of it is left.
    traceback : str
    value : bytes
        The message, untouched.
    """

    reason: str
    explanation: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    traceback: str
    is_omitted: bool
    value: bytes


def dead_letter(message: Message, error: MessageError, topic: str) -> Outgoing:
    """Wrap a message that failed, for the dead-letter topic."""
    headers = {
        "reason": type(error).__name__,
        "explanation": str(error),
        "topic": message.topic,
        "partition": str(message.partition),
        "offset": str(message.offset),
        "timestamp_ms": str(message.timestamp_ms or ""),
        "survey": message.survey,
        "failed_at_ms": str(int(time.time() * 1000)),
        "traceback": "".join(traceback.format_exception(error)),
    }
    return Outgoing(topic, None, message.value, headers)


def read_dead_letters(settings: KafkaSettings) -> Iterator[DeadLetter]:
    """Read every dead letter that stands in the topic now, oldest first in each partition.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not answer.
    """
    with _consumer(settings) as consumer:
        for message in _stored(consumer, settings.dead_letter_topic, _beginnings):
            yield _letter(message)


def replay_dead_letters(
    settings: KafkaSettings, topic: str | None = None, track: Track = untracked
) -> int:
    """Send the dead letters back to the topics they came from; return how many.

    Each is sent once, except those whose bytes were too large to keep: how far the topic was
    replayed is committed under a group of its own. Only letters that stand in the topic at the
    start are taken, so one that fails again waits there.

    Parameters
    ----------
    settings : KafkaSettings
    topic : str, optional
        Send all of them to this topic instead.
    track : Track
        Shows how many have gone.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not answer.
    """
    sink, n_replayed = KafkaSink(settings), 0
    with _consumer(settings) as consumer:
        stored = _stored(consumer, settings.dead_letter_topic, Consumer.committed)
        messages = track(stored, "dead letters")
        while batch := list(islice(messages, REPLAY_BATCH)):
            letters = [_letter(message) for message in batch]
            whole = [one for one in letters if not one.is_omitted]
            sink.publish(Outgoing(topic or one.topic, None, one.value) for one in whole)
            for message in batch:
                consumer.store_offsets(message)
            consumer.commit(asynchronous=False)
            n_replayed += len(whole)
    return n_replayed


@contextmanager
def _consumer(settings: KafkaSettings) -> Iterator[Consumer]:
    own = {
        "group.id": settings.group_id + REPLAY_GROUP_SUFFIX,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
    }
    consumer = opened(Consumer, own | client_settings(settings))
    try:
        yield consumer
    except KafkaException as error:
        topic, servers = settings.dead_letter_topic, settings.bootstrap_servers
        reason = f"cannot read or commit {topic} at {servers}: {error.args[0]}"
        raise OutputUnavailableError(reason) from error
    finally:
        consumer.close()


Offsets = Callable[..., list[TopicPartition]]


def _beginnings(_: Consumer, partitions: list[TopicPartition], **__: float) -> list[TopicPartition]:
    return partitions


def _stored(consumer: Consumer, topic: str, starts: Offsets) -> Iterator[KafkaMessage]:
    """Yield the messages of a topic from `starts` to where it ends now."""
    found = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
    starting = starts(consumer, [TopicPartition(topic, one) for one in found], timeout=TIMEOUT_S)
    ends = {}
    for place in starting:
        low, high = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        place.offset = max(place.offset, low)
        if place.offset < high:
            ends[place.partition] = high
    consumer.assign([place for place in starting if place.partition in ends])
    while ends:
        message = consumer.poll(TIMEOUT_S)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        partition, offset = message.partition() or 0, message.offset() or 0
        if offset + 1 >= ends.get(partition, 0):
            ends.pop(partition, None)
        yield message


def _letter(message: KafkaMessage) -> DeadLetter:
    headers = headers_of(message)
    return DeadLetter(
        reason=headers.get("reason", ""),
        explanation=headers.get("explanation", ""),
        topic=headers.get("topic", ""),
        partition=_integer(headers.get("partition")),
        offset=_integer(headers.get("offset")),
        timestamp_ms=_integer(headers.get("timestamp_ms")),
        traceback=headers.get("traceback", ""),
        is_omitted="omitted" in headers,
        value=message.value() or b"",
    )


def _integer(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return -1
