"""Partitions of a group's topics that none of its members reads."""

import time
from collections.abc import Sequence
from concurrent.futures import Future

from confluent_kafka import Consumer, ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from broker_classifier.config import topic_matches
from broker_classifier.streams.start_places import TOPICS_TIMEOUT_S, Place

ASKED_EVERY_S = 10.0


class UnreadPartitions:
    """Notices partitions that came while the members of a group were away.

    A member that comes back under its name is given what it had, and looks out for changes from
    then on. So a partition that was added in between is nobody's until the group is balanced anew.

    Parameters
    ----------
    admin : AdminClient
    group : str
    topics : sequence of str
        Names, and regular expressions that begin with ^.
    """

    def __init__(self, admin: AdminClient, group: str, topics: Sequence[str]) -> None:
        self._admin, self._group, self._topics = admin, group, topics
        self._asked: Future[ConsumerGroupDescription] | None = None
        self._next_s = time.monotonic() + ASKED_EVERY_S
        self._missing: set[Place] = set()
        self._reported: set[Place] = set()

    def are_there(self, consumer: Consumer) -> bool:
        """Tell whether a partition was nobody's twice in a row; asks now and then, without waiting.

        Each partition is reported once: what cannot be read does not upset the group for ever.

        Parameters
        ----------
        consumer : Consumer
            Asked for the topics, so call it outside of its callbacks.
        """
        if self._asked is None:
            if time.monotonic() >= self._next_s:
                self._next_s = time.monotonic() + ASKED_EVERY_S
                self._asked = self._admin.describe_consumer_groups([self._group])[self._group]
            return False
        if not self._asked.done():
            return False
        answer, self._asked = self._asked, None
        try:
            before, self._missing = self._missing, self._missing_from(answer.result(), consumer)
        except KafkaException:
            return False  # no Kafka answers, or it does not say
        lasting = (before & self._missing) - self._reported
        self._reported |= lasting
        return bool(lasting)

    def _missing_from(self, group: ConsumerGroupDescription, consumer: Consumer) -> set[Place]:
        if group.state != ConsumerGroupState.STABLE:
            return set()
        read = {
            (place.topic, place.partition)
            for member in group.members
            for place in member.assignment.topic_partitions
        }
        topics = consumer.list_topics(timeout=TOPICS_TIMEOUT_S).topics
        there = {
            (name, number)
            for name, topic in topics.items()
            if any(topic_matches(wanted, name) for wanted in self._topics)
            for number in topic.partitions
        }
        return there - read
