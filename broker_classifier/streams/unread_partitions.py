"""Partitions of a group's topics that none of its members reads."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaException

from broker_classifier.config import topic_matches
from broker_classifier.streams.group_readers import GroupReaders
from broker_classifier.streams.start_places import TOPICS_TIMEOUT_S, Place

ASKED_EVERY_S = 10.0
N_ASKED = 3  # times that all is well, before it is believed


class UnreadPartitions:
    """Notices partitions that came while the members of a group were away.

    A member that comes back under its name is given what it had, and looks out for changes from
    then on. So a partition that was added in between is nobody's until the group is balanced anew.
    The group is asked for after each joining, until it says that all is well.

    Parameters
    ----------
    ask : callable
        Asks for the group, as `group_readers.ask_group` does.
    topics : sequence of str
        Names, and regular expressions that begin with ^.
    """

    def __init__(
        self, ask: "Callable[[], Future[GroupReaders | None]]", topics: Sequence[str]
    ) -> None:
        self._ask, self._topics = ask, topics
        self._asked: Future[GroupReaders | None] | None = None
        self._reported: set[Place] = set()
        self.look_again()

    def look_again(self) -> None:
        """Ask again: the group was joined."""
        self._n_left, self._missing = N_ASKED, set[Place]()
        self._next_s = time.monotonic() + ASKED_EVERY_S

    def are_there(self, consumer: Consumer) -> bool:
        """Tell whether a partition was nobody's twice in a row; asks now and then, without waiting.

        Each partition is reported once: what cannot be read does not upset the group for ever.

        Parameters
        ----------
        consumer : Consumer
            Asked for the topics, so call it outside of its callbacks.
        """
        if self._asked is None:
            if self._n_left and time.monotonic() >= self._next_s:
                self._next_s = time.monotonic() + ASKED_EVERY_S
                self._asked = self._ask()
            return False
        if not self._asked.done():
            return False
        group, self._asked = self._asked.result(), None
        if group is None:
            return False  # no Kafka answers, or it does not say
        try:
            before, self._missing = self._missing, self._missing_from(group, consumer)
        except KafkaException:
            return False
        if group.is_stable and not self._missing - self._reported:
            self._n_left -= 1
        lasting = (before & self._missing) - self._reported
        self._reported |= lasting
        return bool(lasting)

    def _missing_from(self, group: GroupReaders, consumer: Consumer) -> set[Place]:
        if not group.is_stable:
            return set()
        topics = consumer.list_topics(timeout=TOPICS_TIMEOUT_S).topics
        there = {
            (name, number)
            for name, topic in topics.items()
            if any(topic_matches(wanted, name) for wanted in self._topics)
            for number in topic.partitions
        }
        return there - group.read
