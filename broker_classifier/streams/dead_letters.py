"""Messages that could not be used: their bytes, untouched, the reason, and where they came from."""

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import Message as KafkaMessage

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import MessageError, OutputUnavailableError
from broker_classifier.streams.kafka_clients import client_settings, headers_of, opened
from broker_classifier.streams.message import REPLAYED_FROM, Message, Outgoing
from broker_classifier.streams.stored_messages import (
    READS_TO_END,
    TIMEOUT_S,
    beginnings,
    partitions_of,
    stored_messages,
)

REPLAY_GROUP_SUFFIX = "-dead-letters-replay"


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
    failed_at_ms : int
        When it failed, Unix ms.
    came_back_from : str
        The place in the dead-letter topic of the letter that was replayed and failed again; empty
        for a message that failed for the first time.
    place : str
        Where the letter itself stands: dead-letters[0]@17.
    is_replayed : bool
        It was sent back already.
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
    failed_at_ms: int = -1
    came_back_from: str = ""
    place: str = ""
    is_replayed: bool = False


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
        REPLAYED_FROM: message.replayed_from,
        "failed_at_ms": str(int(time.time() * 1000)),
        "traceback": "".join(traceback.format_exception(error)),
    }
    given = {name: value for name, value in headers.items() if value}
    return Outgoing(topic, None, message.value, given)


def read_dead_letters(settings: KafkaSettings) -> Iterator[DeadLetter]:
    """Read every dead letter that stands in the topic now, oldest first in each partition.

    A letter that was replayed and failed again stands there twice; only its last failure is given.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not answer.
    """
    with letters_consumer(settings) as consumer:
        replayed = _replayed_until(consumer, settings.dead_letter_topic)
        letters = [
            _letter(message, is_replayed=_offset(message) < replayed[message.partition() or 0])
            for message in stored_messages(consumer, settings.dead_letter_topic, beginnings)
        ]
    failed_again = {letter.came_back_from for letter in letters}
    yield from (letter for letter in letters if letter.place not in failed_again)


@contextmanager
def letters_consumer(settings: KafkaSettings) -> Iterator[Consumer]:
    """Open a consumer of the dead letters; an error of Kafka's says which topic, and where."""
    own = READS_TO_END | {"group.id": settings.group_id + REPLAY_GROUP_SUFFIX}
    consumer = opened(Consumer, own | client_settings(settings))
    try:
        yield consumer
    except KafkaException as error:
        topic, servers = settings.dead_letter_topic, settings.bootstrap_servers
        reason = f"cannot read or commit {topic} at {servers}: {error.args[0].str()}"
        raise OutputUnavailableError(reason) from error
    finally:
        consumer.close()


def _replayed_until(consumer: Consumer, topic: str) -> dict[int, int]:
    """Give for every partition how far it was replayed."""
    committed = consumer.committed(partitions_of(consumer, topic), timeout=TIMEOUT_S)
    return {place.partition: place.offset for place in committed}


def _offset(message: KafkaMessage) -> int:
    return message.offset() or 0


def place_of(message: KafkaMessage) -> str:
    """Name the place of a letter in its topic."""
    return f"{message.topic()}[{message.partition()}]@{message.offset()}"


def _letter(message: KafkaMessage, *, is_replayed: bool) -> DeadLetter:
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
        failed_at_ms=_integer(headers.get("failed_at_ms")),
        came_back_from=headers.get(REPLAYED_FROM, ""),
        place=place_of(message),
        is_replayed=is_replayed,
    )


def _integer(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return -1
