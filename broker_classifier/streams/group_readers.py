"""Who reads which partition in a group, asked in a process of its own.

When a Kafka comes and goes, librdkafka 2.16 may end the process that once asked it (its issue
4605). So it is not the worker's.
"""

import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import orjson

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.streams.kafka_clients import settings_without_callbacks
from broker_classifier.streams.start_places import Place

TIMEOUT_S = 10.0
_PROGRAM = Path(__file__).with_name("_describe_group.py")


class GroupReaders(NamedTuple):
    """Whether a group is at rest, and the partitions that its members read."""

    is_stable: bool
    read: set[Place]


def ask_group(settings: KafkaSettings) -> "Future[GroupReaders | None]":
    """Ask for a group without waiting; the answer is None where Kafka gives none."""
    asked: Future[GroupReaders | None] = Future()
    client = settings_without_callbacks(settings)
    question = {"settings": client, "group": settings.group_id, "timeout_s": TIMEOUT_S}
    Thread(target=_ask, args=(orjson.dumps(question), asked), daemon=True).start()
    return asked


def _ask(question: bytes, asked: "Future[GroupReaders | None]") -> None:
    command = [sys.executable, "-P", str(_PROGRAM)]
    try:
        done = subprocess.run(
            command, input=question, check=True, capture_output=True, timeout=2 * TIMEOUT_S
        )
        answer = orjson.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, orjson.JSONDecodeError):
        asked.set_result(None)
        return
    read = {(topic, partition) for topic, partition in answer["read"]}
    asked.set_result(GroupReaders(answer["is_stable"], read))
