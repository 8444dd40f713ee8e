"""Topics of the settings that Kafka does not have."""

from collections.abc import Collection

from confluent_kafka import KafkaError
from confluent_kafka import Message as KafkaMessage

from broker_classifier.logs import get_logger

log = get_logger()


class MissingTopics:
    """Sorts out what a consumer hears of topics that are not there.

    Parameters
    ----------
    named : collection of str
        The topics of the settings; a pattern's topic that expired is no news.
    """

    def __init__(self, named: Collection[str]) -> None:
        self._named = named
        self._logged: set[str] = set()

    def are_meant(self, message: KafkaMessage) -> bool:
        """Tell whether a message says that there is no such topic; log a named topic once."""
        error, topic = message.error(), message.topic() or ""
        if error is None or error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            return False
        if topic in self._named and topic not in self._logged:
            self._logged.add(topic)
            log.warning("no such topic yet", topic=topic)
        return True

    def are_there(self, topics: Collection[str]) -> None:
        """Note that topics have been made."""
        self._logged -= set(topics)
