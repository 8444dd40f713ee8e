"""Kafka as a source of alerts; what has not been committed is read again after a crash."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.config.secrets import plain
from broker_classifier.errors import InputLostError, StartOverError
from broker_classifier.logs import get_logger
from broker_classifier.streams.group_readers import ask_group
from broker_classifier.streams.kafka_clients import (
    KafkaConnection,
    administrator,
    client_settings,
    close,
    group_settings,
    has_value,
    opened,
)
from broker_classifier.streams.message import Message
from broker_classifier.streams.missing_topics import MissingTopics
from broker_classifier.streams.received import received, survey_of_topic
from broker_classifier.streams.start_places import Place, StartPlaces, topics_gone
from broker_classifier.streams.topic_ids import TopicIds
from broker_classifier.streams.unread_partitions import UnreadPartitions

log = get_logger()


class KafkaSource:
    """Reads alert topics as a member of a consumer group.

    Parameters
    ----------
    settings : KafkaSettings
    surveys : mapping of str to sequence of str
        The topics of every survey; a topic that begins with ^ is a regular expression.
    worker : str
        A name that the worker keeps when it is started again. With it, it has its partitions back
        at once; without, others have them after the session's time.
    commits : bool
        False where a transaction commits the offsets.
    """

    is_exhausted = False  # a topic never ends

    def __init__(
        self,
        settings: KafkaSettings,
        surveys: Mapping[str, Sequence[str]],
        *,
        worker: str = "",
        commits: bool = True,
    ) -> None:
        self._settings, self._surveys = settings, surveys
        self._survey_of: dict[str, str] = {}
        self._connection, self._commits = KafkaConnection(settings), commits
        self._lost, self._is_committing = "", False
        self._to_commit: dict[Place, int] = {}
        self._first_open: dict[Place, int] = {}  # offsets not handed to `commit` yet
        self._revoked: set[Place] = set()
        self._topics = [topic for topics in surveys.values() for topic in topics]
        self._starts, self._ids = StartPlaces(settings), TopicIds(administrator(settings))
        self._unread = UnreadPartitions(partial(ask_group, settings), self._topics)
        self._gone: set[str] = set()  # topics that expired
        self._missing = MissingTopics(self._topics)
        self._worker, self._is_lost = worker, False
        self._consumer = self._joined()

    def _joined(self) -> Consumer:
        consumer = opened(
            Consumer,
            group_settings(self._settings, self._worker)
            | {"on_commit": self._note_commit}
            | client_settings(self._settings)
            | self._connection.callbacks
            | plain(self._settings.client),
        )
        self._starts.look_around()
        self._unread.look_again()
        self._subscribe(consumer)
        return consumer

    def _subscribe(self, consumer: Consumer) -> None:
        consumer.subscribe(
            self._topics,
            on_assign=self._note_assigned,
            on_revoke=self._note_revoked,
            on_lost=self._note_lost,
        )

    @property
    def address(self) -> str:
        """The brokers."""
        return self._settings.bootstrap_servers

    @property
    def is_connected(self) -> bool:
        """Whether any broker answered lately."""
        return self._connection.is_up

    @property
    def connections(self) -> dict[str, bool]:
        """By stream, whether its Kafka answers."""
        return dict.fromkeys(self._surveys, self._connection.is_up)

    @property
    def lags(self) -> dict[str, int]:
        """By stream, how many alerts of the partitions read here are not read yet."""
        lags = dict.fromkeys(self._surveys, 0)
        for topic, n_unread in self._connection.unread.items():
            lags[self._survey(topic)] += n_unread
        return lags

    def group_metadata(self) -> Any:
        """Return what a transaction names the group's member and generation by, as of now."""
        return self._consumer.consumer_group_metadata()

    def _note_assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        topics = {assigned.topic for assigned in partitions}
        self._gone -= topics
        self._missing.are_there(topics)
        starts = self._starts.find(partitions)
        for assigned in partitions:
            place = assigned.topic, assigned.partition
            if place in starts:
                assigned.offset = self._first_open[place] = self._to_commit[place] = starts[place]
        consumer.incremental_assign(partitions)

    def _note_lost(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Sort out what is lost: topics that expired, or all, where others have this one's place.

        What was read of an expired topic is answered, and its offset matters no more.
        """
        topics = {place.topic for place in partitions}
        gone = topics_gone(self._settings, topics)
        self._gone |= gone
        self._first_open = {at: n for at, n in self._first_open.items() if at[0] not in gone}
        self._to_commit = {at: n for at, n in self._to_commit.items() if at[0] not in gone}
        left = [place for place in partitions if place.topic not in gone]
        self._note_revoked(consumer, left)
        self._is_lost |= bool(left)

    def is_gone(self, topic: str) -> bool:
        """Tell whether a topic that was read exists no more."""
        return topic in self._gone

    def _join_again(self) -> None:
        """Join the group anew: a named member that was taken for dead is never given a message."""
        close(self._consumer)
        self._connection.forget_partitions()
        self._is_lost, self._is_committing = False, False
        self._revoked, self._first_open, self._to_commit = set(), {}, {}
        self._consumer = self._joined()

    def _note_revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        places = {(place.topic, place.partition) for place in partitions}
        self._revoked |= places
        for place in places:
            self._to_commit.pop(place, None)

    def poll(self, *, wait: bool = True) -> list[Message]:
        """Wait for a first alert, if asked to, and take what else is there, up to the batch size.

        Raises
        ------
        InputLostError
            If the consumer can never read or commit again.
        StartOverError
            If a partition was taken away of which messages were read and not committed.
        """
        first = self._consumer.poll(self._settings.poll_timeout_s if wait else 0.0)
        self._commit_next()
        if self._lost:
            raise InputLostError(self._lost)
        news = [] if first is None else [first]  # not by its truth: an empty one has none
        if news:
            news += self._consumer.consume(self._settings.batch_size - 1, timeout=0)
        if self._is_lost or self._connection.is_stuck():
            why = "Kafka took this worker for dead" if self._is_lost else "partitions stand still"
            self._join_again()
            raise StartOverError(why)
        of_topics = [message for message in news if not self._missing.are_meant(message)]
        alerts = [
            received(message, self._survey(message.topic() or ""))
            for message in of_topics
            if has_value(message, InputLostError)
        ]
        has_moved = bool(self._revoked) and self._drop_revoked(alerts)
        for alert in alerts:
            if alert.topic in self._gone:
                continue
            self._first_open.setdefault((alert.topic, alert.partition), alert.offset)
        if has_moved:
            msg = "partitions moved to another worker"
            raise StartOverError(msg)
        self._look_out()
        return alerts

    def _look_out(self) -> None:
        """Act on what the group does not notice by itself."""
        if self._unread.are_there(self._consumer):
            log.warning("partitions that nobody reads: the group is balanced anew")
            self._consumer.unsubscribe()
            self._subscribe(self._consumer)
        if anew := self._ids.made_anew({topic for topic, _ in self._first_open}):
            self._begin_again(anew)
            msg = f"made anew under its name, so read from its beginning: {', '.join(anew)}"
            raise StartOverError(msg)

    def _begin_again(self, topics: set[str]) -> None:
        for place in self._first_open:
            if place[0] in topics:
                self._first_open[place] = OFFSET_BEGINNING
                self._to_commit.pop(place, None)

    def _drop_revoked(self, alerts: list[Message]) -> bool:
        """Drop what came of partitions just taken away; say whether more of them is under way."""
        there = {(place.topic, place.partition) for place in self._consumer.assignment()}
        alerts[:] = [alert for alert in alerts if (alert.topic, alert.partition) in there]
        was_open = [self._first_open.pop(place, None) for place in self._revoked]
        self._revoked = set()
        return any(offset is not None for offset in was_open)

    def rewind(self) -> None:
        """Go back, in the partitions that are still read here, to what was not committed."""
        try:
            for (topic, partition), offset in self._first_open.items():
                self._consumer.seek(TopicPartition(topic, partition, offset))
        except KafkaException as error:
            raise InputLostError(error.args[0].str()) from error

    def commit(self, messages: Sequence[Message]) -> None:
        """Commit the offsets after these messages, without waiting for Kafka's word.

        One commit is under way at a time, and the next has all that was done meanwhile. More than
        Kafka can take would queue before the heartbeats, until the worker is taken for dead.

        A commit that fails is no error: a broker was away, or the partitions are on the move. It is
        tried again while they are read here; elsewhere, the messages come again. One that can never
        succeed ends the next `poll`, as `InputLostError`.
        """
        for message in messages:
            if message.topic in self._gone:
                continue
            place = message.topic, message.partition
            self._first_open[place] = max(message.offset + 1, self._first_open.get(place, 0))
            if self._commits:
                self._to_commit[place] = self._first_open[place]
        self._commit_next()

    def _commit_next(self) -> None:
        if not self._is_committing and self._to_commit:
            self._commit_all()

    def _commit_all(self) -> None:
        offsets = [TopicPartition(*place, offset) for place, offset in self._to_commit.items()]
        self._to_commit, self._is_committing = {}, True
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self._note_commit(error.args[0], offsets)

    def _note_commit(self, error: KafkaError | None, offsets: Sequence[TopicPartition]) -> None:
        self._is_committing = False
        left = [place for place in offsets if not _is_of_no_partition(place)]
        if error is None or not left:
            return
        if error.code() != KafkaError.REBALANCE_IN_PROGRESS:  # as with every topic that comes
            log.warning("commit refused, it is tried again", reason=error.str())
        if error.fatal():
            self._lost = error.str()
        for refused in left:
            place = refused.topic, refused.partition
            if self._commits and place in self._first_open:
                self._to_commit[place] = max(refused.offset, self._to_commit.get(place, 0))

    def close(self) -> None:
        """Commit what is done, and leave the group, so that others take over at once."""
        if self._to_commit:
            self._commit_all()
        close(self._consumer)

    def _survey(self, topic: str) -> str:
        if topic not in self._survey_of:
            self._survey_of[topic] = survey_of_topic(topic, self._surveys)
        return self._survey_of[topic]


def _is_of_no_partition(place: TopicPartition) -> bool:
    return place.error is not None and place.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
