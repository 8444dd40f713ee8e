"""What another client sees of the answers, alert by alert: a process of its own, bounded memory."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from tests.soak.feed import FIRST_ALERT_ID, N_POINTS, object_name, packet, place_of
from tests.streets import standing, walk

AGREEMENT = 2e-5
POLL_MS, MOST_AT_ONCE = 100, 2000


class Report(NamedTuple):
    """What is known of the first so many alerts.

    Attributes
    ----------
    n_answered, n_lost, n_twice, n_wrong, n_extra : int
        Alerts with an answer and without; with a first answer more than once; whose answer that
        stands is not the right one; and answers to what nobody asked.
    n_revisions, n_letters : int
    read_to : dict of (str, int) to int
        Offsets, by topic and partition.
    """

    n_answered: int
    n_lost: int
    n_twice: int
    n_wrong: int
    n_extra: int
    n_revisions: int
    n_letters: int
    read_to: dict[tuple[str, int], int]


@dataclass
class Audit:
    """Ten bytes an alert, whatever comes.

    Parameters
    ----------
    capacity : int
        Most alerts that may be sent.
    right : sequence of dict
        By point, the probabilities of one pass.
    """

    capacity: int
    right: Sequence[Mapping[str, float]]
    n_extra: int = 0
    n_revisions: int = 0
    n_letters: int = 0
    read_to: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._n_firsts = np.zeros(self.capacity, dtype=np.uint8)
        self._versions = np.zeros(self.capacity, dtype=np.uint64)
        self._is_right = np.zeros(self.capacity, dtype=bool)

    def take(self, record: "ConsumerRecord[Any, Any]", letters: str) -> None:
        """Note one message, unless it was noted before the connection was lost."""
        place = record.topic, record.partition
        if record.offset < self.read_to.get(place, 0):
            return
        self.read_to[place] = record.offset + 1
        if record.topic == letters:
            self.n_letters += 1
        else:
            self._take_answer(record.key, dict(record.headers), record.value)

    def _take_answer(self, key: bytes, headers: Mapping[str, bytes], value: bytes) -> None:
        number = int(headers["id"].split(b":")[0]) - FIRST_ALERT_ID
        thing, point = place_of(number)
        if not 0 <= number < self.capacity or key != object_name(thing):
            self.n_extra += 1
            return
        version = int(headers["curve_version"])
        if version >= self._versions[number]:
            self._versions[number] = version
            self._is_right[number] = agree(orjson.loads(value)["probabilities"], self.right[point])
        if headers["revised"] == b"true":
            self.n_revisions += 1
        else:
            self._n_firsts[number] = min(255, self._n_firsts[number] + 1)

    def report(self, n_sent: int) -> Report:
        """Say what is known of the first so many alerts."""
        is_answered = self._versions > 0
        return Report(
            n_answered=int(np.count_nonzero(is_answered[:n_sent])),
            n_lost=int(np.count_nonzero(self._n_firsts[:n_sent] == 0)),
            n_twice=int(np.count_nonzero(self._n_firsts > 1)),
            n_wrong=int(np.count_nonzero(is_answered & ~self._is_right)),
            n_extra=self.n_extra + int(np.count_nonzero(is_answered[n_sent:])),
            n_revisions=self.n_revisions,
            n_letters=self.n_letters,
            read_to=dict(self.read_to),
        )


def agree(probabilities: Mapping[str, float], right: Mapping[str, float]) -> bool:
    """Compare the probabilities of all classes."""
    return probabilities.keys() == right.keys() and all(
        abs(probability - right[name]) <= AGREEMENT for name, probability in probabilities.items()
    )


def right_answers() -> list[dict[str, float]]:
    """Return the probabilities of one object after each of its points, of one pass."""
    numbers = [number for number in range(N_POINTS * 2000) if place_of(number)[0] == 0]
    answers = standing(walk([packet(number) for number in numbers])[1].sent)
    return [answers[FIRST_ALERT_ID + number]["probabilities"] for number in numbers]


def audit(servers: str, output: str, letters: str, capacity: int, asked: Connection) -> None:
    """Read on, and answer each number of alerts that is asked with a `Report`.

    A Kafka that goes away is read again from where it was.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # Kafka is killed on purpose
    audited = Audit(capacity, right_answers())
    asyncio.run(_audit(servers, output, letters, audited, asked))


async def _audit(
    servers: str, output: str, letters: str, audited: Audit, asked: Connection
) -> None:
    while True:
        answer(audited, asked)
        with suppress(KafkaError, OSError):
            async with AIOKafkaConsumer(
                output,
                letters,
                bootstrap_servers=servers,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                metadata_max_age_ms=5000,
            ) as consumer:
                while True:
                    answer(audited, asked)
                    await read(consumer, audited, letters)


async def read(consumer: AIOKafkaConsumer, audited: Audit, letters: str) -> None:
    batches: dict[TopicPartition, list[ConsumerRecord[Any, Any]]] = await consumer.getmany(
        timeout_ms=POLL_MS, max_records=MOST_AT_ONCE
    )
    for batch in batches.values():
        for record in batch:
            audited.take(record, letters)


def answer(audited: Audit, asked: Connection) -> None:
    while asked.poll():
        asked.send(audited.report(asked.recv()))
