"""When results arrive at a reader of committed messages, by the partition of their alerts."""

import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing
from itertools import pairwise

from confluent_kafka import Consumer, TopicPartition

READER = {"isolation.level": "read_committed", "fetch.wait.max.ms": 20, "log_level": 0}


class Arrivals:
    """Reads a topic of one partition in a thread, from its beginning, while the context lasts.

    Parameters
    ----------
    partition_of : callable
        Of which partition of the input the object with an id is.
    """

    def __init__(
        self, bootstrap_servers: str, topic: str, partition_of: Callable[[str], int] = hash
    ) -> None:
        self.seen: list[tuple[float, int]] = []  # time.monotonic, partition
        self._settings = {"bootstrap.servers": bootstrap_servers, "group.id": "arrivals"} | READER
        self._topic, self._partition_of = topic, partition_of
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Arrivals":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        with closing(Consumer(self._settings)) as consumer:
            consumer.assign([TopicPartition(self._topic, 0, 0)])
            while not self._stop.is_set():
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    partition = self._partition_of((message.key() or b"").decode())
                    self.seen.append((time.monotonic(), partition))

    def of(self, partitions: Collection[int], since: float, until: float) -> list[float]:
        """Return when results of some partitions arrived between two times."""
        seen = self.seen[:]
        return [at for at, partition in seen if since <= at <= until and partition in partitions]

    def silence(
        self, partitions: Collection[int], since: float, until: float
    ) -> tuple[float, float]:
        """Return when the longest silence of some partitions between two times began and ended."""
        times = [since, *self.of(partitions, since, until), until]
        return max(pairwise(times), key=lambda gap: gap[1] - gap[0])
