"""Dead letters sent back to where they came from, kept as files, or deleted."""

import re
from datetime import datetime
from itertools import islice
from pathlib import Path

import orjson
from confluent_kafka import Consumer, KafkaException
from confluent_kafka import Message as KafkaMessage

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.dead_letters import (
    DeadLetter,
    letters_consumer,
    place_of,
    read_dead_letters,
)
from broker_classifier.streams.kafka_clients import administrator, headers_of
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.message import REPLAYED_FROM, Outgoing
from broker_classifier.streams.offsets_at import offsets_at
from broker_classifier.streams.stored_messages import TIMEOUT_S, partitions_of, stored_messages

BATCH = 500
LISTING = "letters.jsonl"


def replay_dead_letters(
    settings: KafkaSettings,
    topic: str | None = None,
    track: Track = untracked,
    *,
    again: bool = False,
) -> int:
    """Send the dead letters back to the topics they came from; return how many.

    Each is sent once, except those whose bytes were too large to keep: how far the topic was
    replayed is committed under a group of its own. Only letters that stand in the topic at the
    start are taken. A letter that came back, because it failed again, is not sent a second time.

    Parameters
    ----------
    settings : KafkaSettings
    topic : str, optional
        Send all of them to this topic instead.
    track : Track
        Shows how many have gone.
    again : bool
        Send also the letters that came back.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not answer; it says how many were sent. The same call goes on from there.
    """
    sink, n_replayed = KafkaSink(settings), 0
    with letters_consumer(settings) as consumer:
        stored = stored_messages(consumer, settings.dead_letter_topic, Consumer.committed)
        messages = track(stored, "dead letters")
        while batch := list(islice(messages, BATCH)):
            sent = [message for message in batch if _is_to_be_sent(message, again=again)]
            try:
                sink.publish(_sent_back(message, topic) for message in sent)
            except OutputUnavailableError as error:
                reason = (
                    f"{n_replayed} letters were sent back and will not be sent again. The others "
                    f"wait in {settings.dead_letter_topic}: Kafka at {settings.bootstrap_servers} "
                    "did not confirm them. Call the same command to go on from there"
                )
                raise OutputUnavailableError(reason) from error
            for message in batch:
                consumer.store_offsets(message)
            consumer.commit(asynchronous=False)
            n_replayed += len(sent)
    return n_replayed


def _is_to_be_sent(message: KafkaMessage, *, again: bool) -> bool:
    headers = headers_of(message)
    return "omitted" not in headers and (again or REPLAYED_FROM not in headers)


def _sent_back(message: KafkaMessage, topic: str | None) -> Outgoing:
    to = topic or headers_of(message).get("topic", "")
    return Outgoing(to, None, message.value() or b"", {REPLAYED_FROM: place_of(message)})


def export_dead_letters(settings: KafkaSettings, folder: Path) -> int:
    """Write the bytes of every dead letter into a file of its own, and a list of all; count them.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_letters = 0
    with (folder / LISTING).open("wb") as listing:
        for letter in read_dead_letters(settings):
            name = re.sub(r"[^\w.-]+", "-", letter.place).strip("-")
            (folder / name).write_bytes(letter.value)
            listing.write(orjson.dumps({"file": name} | facts(letter)) + b"\n")
            n_letters += 1
    return n_letters


def facts(letter: DeadLetter) -> dict[str, object]:
    """Give everything about a letter except its bytes, and how many they are."""
    fields = {name: value for name, value in vars(letter).items() if name != "value"}
    return fields | {"n_bytes": len(letter.value)}


def purge_dead_letters(settings: KafkaSettings, before: datetime) -> int:
    """Delete the dead letters that were written before a moment; return how many.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not answer, or does not let this client delete records.
    """
    with letters_consumer(settings) as consumer:
        there = partitions_of(consumer, settings.dead_letter_topic)
        places = offsets_at(consumer, there, before, timeout=TIMEOUT_S)
        firsts = [consumer.get_watermark_offsets(p, timeout=TIMEOUT_S)[0] for p in places]
        doomed = [
            place for place, first in zip(places, firsts, strict=True) if place.offset > first
        ]
        if not doomed:
            return 0
        admin = administrator(settings)
        for deleted in admin.delete_records(doomed, request_timeout=TIMEOUT_S).values():
            try:
                deleted.result()
            except KafkaException as error:
                reason = f"Kafka did not delete the letters: {error.args[0].str()}"
                raise OutputUnavailableError(reason) from error
        return sum(place.offset - first for place, first in zip(places, firsts, strict=True))
