"""What all Kafka clients share: their settings, and the word of whether a Kafka answers."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Thread
from typing import Any, TypeVar

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.config.secrets import plain, without_secrets
from broker_classifier.errors import BrokerError, ConfigError
from broker_classifier.logs import REMINDED_EVERY_S, get_logger

MAX_MESSAGE_BYTES = 10_000_000
TOPIC_REFRESH_MS = 5_000
FULL_QUEUE_PAUSE_MS = 5  # librdkafka's own second is longer than a batch takes
STATISTICS_MS = 2_000
STUCK_S, CLOSE_TIMEOUT_S = 20.0, 15.0
# What librdkafka says again and again while a Kafka is away; `KafkaConnection` says it once.
AWAY = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE}

Client = TypeVar("Client")

log = get_logger()


class KafkaConnection:
    """Whether one Kafka answers: a line in the log when it goes, each minute, and when it is back.

    Parameters
    ----------
    settings : KafkaSettings
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self.address, self.is_up = settings.bootstrap_servers, True
        self.unread: dict[str, int] = {}  # messages by topic, as of the last statistics
        self._client = plain(settings.client)
        self._quiet_until: dict[int, float] = {}
        self._gone_at, self._next_reminder = "", 0.0
        self._idle: set[tuple[str, str]] = set()
        self._idle_since = 0.0

    @property
    def callbacks(self) -> dict[str, Any]:
        """The settings by which a client tells this connection what it sees."""
        return {
            "statistics.interval.ms": STATISTICS_MS,
            "stats_cb": self._note_statistics,
            "error_cb": self.note_error,
        }

    def _note_statistics(self, statistics: str) -> None:
        figures = orjson.loads(statistics)
        self.note(is_up=any(broker["state"] == "UP" for broker in figures["brokers"].values()))
        self.unread = {name: _unread(topic) for name, topic in figures["topics"].items()}
        self._note_idle(figures["topics"])

    def _note_idle(self, topics: Mapping[str, Any]) -> None:
        """Note which partitions are the client's, and not fetched."""
        idle = {
            (name, number)
            for name, topic in topics.items()
            for number, partition in topic["partitions"].items()
            if partition["desired"] and partition["fetch_state"] != "active"
        }
        if not idle & self._idle:
            self._idle_since = time.monotonic()
        self._idle = idle

    def is_stuck(self) -> bool:
        """Tell whether partitions of the client have not been fetched for long, though Kafka is up.

        librdkafka 2.16 leaves them so at times when a coordinator goes as it asks for offsets.
        """
        is_long = time.monotonic() - self._idle_since > STUCK_S
        return bool(self._idle) and is_long and self.is_up

    def forget_partitions(self) -> None:
        """Forget the partitions of a client that is closed."""
        self._idle, self.unread = set(), {}

    def note_error(self, error: KafkaError) -> None:
        """Note what a client complains of; what it repeats all the time is logged each minute."""
        code, now = error.code(), time.monotonic()
        if code == KafkaError._ALL_BROKERS_DOWN:
            self.note(is_up=False)
        elif code not in AWAY and now >= self._quiet_until.get(code, 0.0):
            self._quiet_until[code] = now + REMINDED_EVERY_S
            reason = without_secrets(error.str(), self._client)
            log.warning("kafka reports", address=self.address, reason=reason)

    def note(self, *, is_up: bool) -> None:
        """Note whether any broker answers."""
        now = time.monotonic()
        if is_up and not self.is_up:
            log.warning("kafka is back", address=self.address, away_since=self._gone_at)
        elif not is_up and self.is_up:
            self._gone_at = datetime.now(UTC).isoformat(timespec="seconds")
            self._next_reminder = now + REMINDED_EVERY_S
            log.warning("kafka is away", address=self.address)
        elif not is_up and now >= self._next_reminder:
            self._next_reminder = now + REMINDED_EVERY_S
            log.warning("kafka is still away", address=self.address, since=self._gone_at)
        self.is_up = is_up


def _unread(topic: Mapping[str, Any]) -> int:
    """Count the messages of a topic, in the partitions that a client fetches, it has not given yet.

    Parameters
    ----------
    topic : mapping
        Of librdkafka's statistics.
    """
    return sum(
        max(0, partition["ls_offset"] - partition["next_offset"]) + partition["fetchq_cnt"]
        for partition in topic["partitions"].values()
        if partition["fetch_state"] == "active"
    )


def client_settings(settings: KafkaSettings) -> dict[str, Any]:
    """Return the librdkafka settings that all clients share; their errors go to our log."""
    connection = KafkaConnection(settings)
    base = {"bootstrap.servers": settings.bootstrap_servers, "log_level": 0}
    return base | {"error_cb": connection.note_error} | plain(settings.client)


def group_settings(settings: KafkaSettings, worker: str) -> dict[str, Any]:
    """Return the librdkafka settings of a member of the group."""
    session_ms = int(settings.session_timeout_s * 1000)
    return {
        "group.id": settings.group_id,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",  # where what was committed is gone; see `StartPlaces`
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": session_ms // 5,
        "topic.metadata.refresh.interval.ms": TOPIC_REFRESH_MS,
        "fetch.wait.max.ms": 10,
        "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
        "fetch.queue.backoff.ms": FULL_QUEUE_PAUSE_MS,
    } | ({"group.instance.id": worker} if worker else {})


def opened(client: Callable[[dict[str, Any]], Client], settings: dict[str, Any]) -> Client:
    """Open a Kafka client.

    Raises
    ------
    ConfigError
        If librdkafka knows no such setting, or refuses its value.
    """
    try:
        return client(settings)
    except KafkaException as error:
        reason = without_secrets(error.args[0].str(), settings)
        msg = f"Kafka's client refuses its settings: {reason}; correct kafka.client"
        raise ConfigError(msg) from None


def close(consumer: Consumer) -> None:
    """Close a consumer; leave it behind where librdkafka waits for a Kafka that is gone."""
    closing = Thread(target=consumer.close, daemon=True)
    closing.start()
    closing.join(CLOSE_TIMEOUT_S)
    if closing.is_alive():
        log.warning("a consumer is left unclosed: its Kafka does not answer")


def settings_without_callbacks(settings: KafkaSettings) -> dict[str, Any]:
    """Return what `client_settings` does, but for the callback: what can be written as JSON."""
    return {name: v for name, v in client_settings(settings).items() if name != "error_cb"}


def administrator(settings: KafkaSettings) -> AdminClient:
    """Open a client that administers, without a callback.

    It may call back in a thread of its own, and confluent-kafka 2.16 then ends the process.
    """
    return opened(AdminClient, settings_without_callbacks(settings))


def has_value(message: KafkaMessage, fatal: type[BrokerError]) -> bool:
    """Tell a message from an error in its place, which is logged and passes by itself.

    Raises
    ------
    BrokerError
        As `fatal`, if the client can never read again.
    """
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        reason = f"Kafka refuses to be read: {error.str()}"
        raise fatal(reason)
    if error.code() != KafkaError._PARTITION_EOF:
        log.warning("kafka reports", reason=error.str(), topic=message.topic())
    return False


def headers_of(message: KafkaMessage) -> dict[str, str]:
    """Return the headers of a message as text."""
    headers: dict[str, Any] = dict(message.headers() or ())
    return {name: (value or b"").decode(errors="replace") for name, value in headers.items()}
