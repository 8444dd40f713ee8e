"""The index's one writer: a thread that follows the topic, and goes on where the index stands."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Message

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import UnavailableError
from broker_classifier.logs import WaitingLog, get_logger
from broker_classifier.streams.topic_reader import TopicReader
from broker_classifier.web.index.prune import prune
from broker_classifier.web.index.published import Published, published
from broker_classifier.web.index.store_answers import newest_seq, store_answers, stored_offsets
from broker_classifier.web.index.tables import empty_index, open_index

MOST_AT_ONCE = 500
REST_S = 0.1
"""Pause after a batch that did not fill up, so that answers are stored and shown together."""

_POLL_S, _PRUNE_S, _RETRY_S, _LOOK_S = 0.5, 60.0, 1.0, 5.0
_DAY_S = 86400.0

log = get_logger()


@dataclass(frozen=True)
class Keeping:
    """Where the index is kept, for how long, and how large it may grow.

    Attributes
    ----------
    retention_days : float
        Objects without an answer for so long are forgotten.
    most_mb : float
        When it is larger, the objects least lately seen are forgotten.
    """

    path: Path
    retention_days: float = 400.0
    most_mb: float = 10_000.0


@dataclass
class Progress:
    """What the writer says of itself; read by other threads.

    Attributes
    ----------
    seq : int
        Number of the newest answer in the index.
    waiting_for : str
        Why nothing is read; empty while all is well.
    n_unreadable : int
        Messages that were no classifications, since the start.
    lag : int
        Messages of the topic that are not in the index yet.
    """

    seq: int = 0
    waiting_for: str = "Kafka has not been reached yet"
    n_unreadable: int = 0
    lag: int = 0
    started: float = field(default_factory=time.time)


class Follower:
    """Follows a topic on a thread of its own until it is stopped.

    Parameters
    ----------
    kafka : KafkaSettings
    keeping : Keeping
    notify : callable
        Called after every batch, from the thread.
    """

    def __init__(
        self, kafka: KafkaSettings, keeping: Keeping, notify: Callable[[], None] = lambda: None
    ) -> None:
        self.progress = Progress()
        self._kafka, self._keeping, self._notify = kafka, keeping, notify
        self._stop, self._waiting = threading.Event(), WaitingLog("the page")
        self._connection = open_index(keeping.path)
        self.progress.seq = newest_seq(self._connection)
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and close the index."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(TopicReader(self._kafka, self._kafka.output_topic)) as reader:
                    self._forget_another_cluster(reader)
                    self._follow(reader)
            except (UnavailableError, sqlite3.Error) as error:
                self.progress.waiting_for = str(error)
                self._waiting.note(str(error))
                self._notify()
                self._stop.wait(_RETRY_S)

    def _follow(self, reader: TopicReader) -> None:
        looked = pruned = 0.0
        while not self._stop.is_set():
            if time.monotonic() - looked > _LOOK_S:
                reader.start(stored_offsets(self._connection, reader.topic))
                looked = time.monotonic()
                self._note_contact()
            messages = reader.read(MOST_AT_ONCE, _POLL_S)
            if messages:
                self._store(messages)
            self.progress.lag = reader.lag()
            if time.monotonic() - pruned > _PRUNE_S:
                self._prune()
                pruned = time.monotonic()
            if 0 < len(messages) < MOST_AT_ONCE:
                self._stop.wait(REST_S)

    def _note_contact(self) -> None:
        self._waiting.note("")
        if self.progress.waiting_for:
            self.progress.waiting_for = ""
            self._notify()

    def _store(self, messages: list[Message]) -> None:
        answers = [answer for message in messages if (answer := self._read(message)) is not None]
        offsets = {
            (message.topic() or "", message.partition() or 0): (message.offset() or 0) + 1
            for message in messages
        }
        self.progress.seq = store_answers(self._connection, answers, offsets)
        self._notify()

    def _read(self, message: Message) -> Published | None:
        try:
            return published(message.value() or b"")
        except ValueError as error:
            self.progress.n_unreadable += 1
            where = f"{message.topic()}[{message.partition()}]@{message.offset()}"
            log.warning("not a classification", message=where, reason=str(error)[:500])
            return None

    def _prune(self) -> None:
        keeping = self._keeping
        retention_s, most_bytes = keeping.retention_days * _DAY_S, keeping.most_mb * 1e6
        if n_gone := prune(self._connection, time.time(), retention_s, most_bytes):
            log.info("objects forgotten by the page", n_objects=n_gone)

    def _forget_another_cluster(self, reader: TopicReader) -> None:
        """Begin anew where the index was made of another cluster's topic."""
        cluster_id = reader.cluster_id()
        row = self._connection.execute("SELECT value FROM facts WHERE name = 'cluster'").fetchone()
        if row and row[0] != cluster_id:
            log.warning("the topic is another cluster's, the index is built anew")
            empty_index(self._connection)
        self._connection.execute(
            "INSERT OR REPLACE INTO facts VALUES ('cluster', ?)", (cluster_id,)
        )
