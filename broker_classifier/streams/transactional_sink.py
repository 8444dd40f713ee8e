"""Kafka as a destination of transactions: results, dead letters and offsets together, or none."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import (
    ConfigError,
    InputLostError,
    OutputUnavailableError,
    StartOverError,
)
from broker_classifier.logs import get_logger
from broker_classifier.streams.kafka_clients import MAX_MESSAGE_BYTES, client_settings, opened
from broker_classifier.streams.kafka_sink import LINGER_MS, create_topics, without_value
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Message, Outgoing

TRANSACTION_TIMEOUT_MS = 60_000
OFFSETS_TIMEOUT_S = 5.0
COMMIT_TURN_S, END_TIMEOUT_S = 0.5, 3.0
FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}

log = get_logger()


def _settle(waiting: "Future[None]", step: Callable[[], None]) -> None:
    """Do a step, and let `waiting` have its end."""
    try:
        step()
    except BaseException as error:  # noqa: BLE001 - whoever waits raises it
        waiting.set_exception(error)
    else:
        waiting.set_result(None)


def transactional_id(settings: KafkaSettings, worker: str) -> str:
    """Return the name of a worker's transactions."""
    return f"{settings.group_id}-{worker}"


def open_producer(settings: KafkaSettings, name: str) -> Producer:
    """Open a producer of transactions with a name."""
    return opened(
        Producer,
        {
            "transactional.id": name,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "delivery.timeout.ms": int(settings.delivery_timeout_s * 1000),
            "compression.type": "lz4",
            "linger.ms": LINGER_MS,
            "message.max.bytes": MAX_MESSAGE_BYTES,
        }
        | client_settings(settings),
    )


def end_open_transaction(settings: KafkaSettings, worker: str) -> None:
    """Have Kafka abort what a worker that is dead had open.

    Raises
    ------
    OutputUnavailableError
        If Kafka does not do so in time.
    """
    producer = open_producer(settings, transactional_id(settings, worker))
    try:
        producer.init_transactions(END_TIMEOUT_S)
    except KafkaException as error:
        msg = f"Kafka at {settings.bootstrap_servers} does not answer: {error.args[0].str()}"
        raise OutputUnavailableError(msg) from error


class TransactionalSink:
    """Publishes each batch, and commits the offsets it follows from, in one transaction.

    Kafka lets one producer of a transactional id live. A worker that is started again under its
    name ends what its former self had begun; one that Kafka took for dead is fenced.

    Parameters
    ----------
    settings : KafkaSettings
    source : KafkaSource
        Whose offsets are committed.
    worker : str
        A name that the worker keeps when it is started again, unlike any other's.
    topics : sequence of str
        Topics to create where they are missing.
    """

    def __init__(
        self, settings: KafkaSettings, source: KafkaSource, worker: str, topics: Sequence[str]
    ) -> None:
        self._settings, self._source, self._topics = settings, source, topics
        self._is_ready = self._is_open = self._has_offsets = False
        self._messages: list[Outgoing] = []
        self._n_produced = 0
        self._offsets: list[TopicPartition] = []
        self._largest = MAX_MESSAGE_BYTES
        self._id = transactional_id(settings, worker)
        self._producer = open_producer(settings, self._id)

    def send(self, messages: Iterable[Outgoing], consumed: Sequence[Message]) -> None:
        """Note what the next transaction has, and begin it if Kafka answers; see `Sink.send`."""
        ends: dict[tuple[str, int], int] = {}
        for message in consumed:
            place = message.topic, message.partition
            ends[place] = max(message.offset + 1, ends.get(place, 0))
        self._messages = list(messages)
        self._offsets = [TopicPartition(*place, offset) for place, offset in ends.items()]
        if self._is_ready:
            with suppress(OutputUnavailableError):
                self._produce_all()

    def confirm(self) -> None:
        """Commit the transaction; see `Sink.confirm`."""
        if not self._is_ready:
            self._make_ready()
        self._produce_all()
        if not self._has_offsets:
            self._send_offsets()
            self._has_offsets = True
        self._commit()
        self._forget()

    def _send_offsets(self) -> None:
        """Give the transaction its offsets.

        librdkafka 2.16 can wait here without end, whatever its timeout, when a broker left the
        cluster for a while (its issues 5456 and 5511). A producer that does so is left behind in
        its thread. Its successor takes its name, and so ends what it had begun.
        """
        step = partial(
            self._producer.send_offsets_to_transaction,
            [place for place in self._offsets if not self._source.is_gone(place.topic)],
            self._source.group_metadata(),
            OFFSETS_TIMEOUT_S,
        )
        waiting: Future[None] = Future()
        Thread(target=_settle, args=(waiting, step), daemon=True).start()
        try:
            self._asked(waiting.result, OFFSETS_TIMEOUT_S + 1.0)
        except TimeoutError as error:
            self._replace_producer()
            msg = f"Kafka at {self._settings.bootstrap_servers} does not take a worker's offsets"
            raise StartOverError(msg) from error

    def _replace_producer(self) -> None:
        self._producer = open_producer(self._settings, self._id)
        self._is_ready = False
        self._forget()

    def _commit(self) -> None:
        """Commit in short turns: a turn waits to its end even when a message has failed."""
        deadline = time.monotonic() + self._settings.delivery_timeout_s
        while True:
            try:
                return self._asked(self._producer.commit_transaction, COMMIT_TURN_S)
            except OutputUnavailableError:
                if time.monotonic() >= deadline:
                    raise

    def _make_ready(self) -> None:
        create_topics(self._settings, self._topics)
        self._asked(self._producer.init_transactions, self._settings.delivery_timeout_s)
        self._is_ready = True

    def _produce_all(self) -> None:
        """Begin the transaction if it is not open, and give it the messages that it lacks."""
        if not self._is_open:
            self._asked(self._producer.begin_transaction)
            self._is_open = True
        for message in self._messages[self._n_produced :]:
            self._produce(message)
            self._n_produced += 1

    def _produce(self, message: Outgoing) -> None:
        if len(message.value) > self._largest:
            message = without_value(message)
        while True:
            try:
                self._asked(
                    self._producer.produce,
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers.items()),
                )
            except BufferError:
                self._producer.poll(self._settings.poll_timeout_s)
                continue
            return

    def _asked(self, step: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Do one step of a transaction; sort out who acts when it fails."""
        try:
            step(*arguments, **options)
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            self._note_size(reason)
            if reason.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                msg = (
                    f"Kafka at {self._settings.bootstrap_servers} does not let this client write "
                    f"transactions as {self._id}; let it, or set kafka.delivery to at_least_once"
                )
                raise ConfigError(msg) from error
            if reason.fatal():
                is_fenced = reason.code() in FENCED
                why = "has given this worker's place to another" if is_fenced else "refuses a step"
                msg = f"Kafka {why}: {reason.str()}"
                raise InputLostError(msg) from error
            if reason.txn_requires_abort():
                msg = f"Kafka aborts a transaction: {reason.str()}"
                raise StartOverError(msg) from error
            msg = (
                f"Kafka at {self._settings.bootstrap_servers} does not go on with a transaction "
                f"({reason.str()}); it is tried again"
            )
            raise OutputUnavailableError(msg) from error

    def _note_size(self, reason: KafkaError) -> None:
        """Leave the largest message's value out next time, where the topic takes none so large."""
        if reason.code() == KafkaError.MSG_SIZE_TOO_LARGE or "size" in reason.str().lower():
            self._largest = max((len(message.value) for message in self._messages), default=1) - 1

    def _forget(self) -> None:
        self._messages, self._offsets, self._n_produced = [], [], 0
        self._is_open = self._has_offsets = False

    def abandon(self) -> None:
        """Give up what is open, here or of a former self; nothing of it is ever seen.

        A successor has Kafka abort it. To ask for the abort oneself can end the producer for good,
        when the partitions of the transaction are on their way to Kafka. Until it is aborted Kafka
        tells nobody the offsets from which to read on.
        """
        if self._is_open:
            self._replace_producer()
        self._forget()
        if not self._is_ready:
            self._make_ready()

    def close(self) -> None:
        """Abort what is open, as far as Kafka answers."""
        if self._is_open:
            with suppress(KafkaException):
                self._producer.abort_transaction(self._settings.delivery_timeout_s)
