"""Which topics were deleted and made anew under their names."""

import time
from collections.abc import Collection
from concurrent.futures import Future

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription

ASKED_EVERY_S = 5.0


class TopicIds:
    """The ids that Kafka gives topics, asked for every few seconds without waiting for the answer.

    Parameters
    ----------
    admin : AdminClient
    """

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin
        self._ids: dict[str, str] = {}
        self._asked: dict[str, Future[TopicDescription]] = {}
        self._next_s = 0.0

    def made_anew(self, topics: Collection[str]) -> set[str]:
        """Return the topics whose ids changed since they were last asked for."""
        if self._asked and all(answer.done() for answer in self._asked.values()):
            anew = {topic for topic, answer in self._asked.items() if self._is_new(topic, answer)}
            self._asked = {}
            return anew
        now = time.monotonic()
        if topics and not self._asked and now >= self._next_s:
            self._next_s = now + ASKED_EVERY_S
            self._asked = self._admin.describe_topics(TopicCollection(sorted(topics)))
        return set()

    def _is_new(self, topic: str, answer: "Future[TopicDescription]") -> bool:
        try:
            topic_id = str(answer.result().topic_id)
        except KafkaException:
            return False  # there is no such topic now, or no Kafka answers
        before, self._ids[topic] = self._ids.get(topic, topic_id), topic_id
        return before != topic_id
