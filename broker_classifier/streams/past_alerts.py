"""The alerts that stand in topics, read from the beginning or a date; no group is joined."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import chain

from confluent_kafka import Consumer, KafkaException

from broker_classifier.config import topic_matches
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import ConfigError, OutputUnavailableError
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.kafka_clients import client_settings, opened
from broker_classifier.streams.message import Message
from broker_classifier.streams.offsets_at import offsets_at
from broker_classifier.streams.received import received, survey_of_topic
from broker_classifier.streams.stored_messages import (
    READS_TO_END,
    TIMEOUT_S,
    Starts,
    beginnings,
    partitions_of,
    stored_messages,
)


def past_alerts(
    settings: KafkaSettings,
    surveys: Mapping[str, Sequence[str]],
    since: datetime | None = None,
    track: Track = untracked,
) -> Iterator[Message]:
    """Yield the messages of one Kafka's alert topics, each topic to where it ends when reached.

    Parameters
    ----------
    settings : KafkaSettings
    surveys : mapping of str to sequence of str
        The topics of every survey; a topic that begins with ^ is a regular expression.
    since : datetime, optional
        Only what Kafka received then or later; with its time zone.
    track : Track
        Shows how many were read.

    Raises
    ------
    ConfigError
        If there is none of the topics.
    OutputUnavailableError
        If Kafka does not answer.
    """
    own = READS_TO_END | {
        "group.id": f"{settings.group_id}-past-alerts",  # librdkafka wants one; it is not joined
        "auto.offset.reset": "earliest",  # if what is next to be read expires meanwhile
    }
    starts: Starts = beginnings if since is None else partial(offsets_at, moment=since)
    with closing(opened(Consumer, own | client_settings(settings))) as consumer:
        try:
            survey_of = _topics_there(consumer, settings, surveys)
            n_messages = sum(_n_stored(consumer, topic, starts) for topic in survey_of)
            stored = chain.from_iterable(
                stored_messages(consumer, topic, starts) for topic in survey_of
            )
            for message in track(stored, "alerts", n_messages):
                yield received(message, survey_of[message.topic() or ""])
        except KafkaException as error:
            msg = (
                f"the alerts at {settings.bootstrap_servers} cannot be read: "
                f"{error.args[0].str()}; correct kafka.bootstrap_servers, or call the same command "
                "again: what it has done stays"
            )
            raise OutputUnavailableError(msg) from error


def _topics_there(
    consumer: Consumer, settings: KafkaSettings, surveys: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Give the survey of every topic that is there, in the order of the names."""
    topics = sorted(consumer.list_topics(timeout=TIMEOUT_S).topics)
    survey_of = {
        topic: survey_of_topic(topic, surveys)
        for topic in topics
        if any(topic_matches(name, topic) for name in chain.from_iterable(surveys.values()))
    }
    if not survey_of:
        wanted = ", ".join(chain.from_iterable(surveys.values())) or "none is set"
        msg = (
            f"there is no alert topic at {settings.bootstrap_servers} ({wanted}): correct "
            "surveys.<name>.topics or kafka.bootstrap_servers"
        )
        raise ConfigError(msg)
    return survey_of


def _n_stored(consumer: Consumer, topic: str, starts: Starts) -> int:
    """Count what is between where reading begins and the end."""
    n_messages = 0
    for place in starts(consumer, partitions_of(consumer, topic), timeout=TIMEOUT_S):
        first, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        n_messages += end - max(first, place.offset)
    return n_messages
