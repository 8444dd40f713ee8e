"""What bundles say, read from all of a topic: of every message id the one that stands, in brief."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import orjson
from confluent_kafka import Consumer, KafkaException
from confluent_kafka import Message as KafkaMessage
from numpy.typing import NDArray

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import DataError, OutputUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.kafka_clients import client_settings, headers_of, opened
from broker_classifier.streams.stored_messages import (
    READS_TO_END,
    TIMEOUT_S,
    beginnings,
    stored_messages,
)

log = get_logger()

AlertName = tuple[str, int]
"""A survey, and an alert's id."""


class BriefAnswer(NamedTuple):
    """What is compared of an answer; the probabilities are in the order of the classes."""

    object_id: str
    curve_version: int
    top_class: str
    n_points: int
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]


class Label(NamedTuple):
    """What the headers of a message say of it; `bundle` is name and version, with a colon."""

    bundle: str
    alert: AlertName
    curve_version: int
    is_first: bool
    at_ms: int


@dataclass
class BriefAnswers:
    """The answers of a topic that stand.

    Attributes
    ----------
    wanted : set of AlertName, optional
        The alerts whose answers are kept; all if not given.
    of_bundles : dict of str to dict of AlertName to BriefAnswer
        By name and version.
    first_at : dict of str to dict of AlertName to int
        By bundle, when (Unix ms) it first answered each alert, wanted or not.
    n_unread : int
        Messages that are no answers, or too large for the topic.
    """

    wanted: Set[AlertName] | None = None
    of_bundles: dict[str, dict[AlertName, BriefAnswer]] = field(default_factory=dict)
    first_at: dict[str, dict[AlertName, int]] = field(default_factory=dict)
    n_unread: int = 0
    _classes: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    @property
    def alerts(self) -> set[AlertName]:
        """Every alert that any bundle answered."""
        return {alert for answers in self.of_bundles.values() for alert in answers}

    def enter(self, message: KafkaMessage) -> None:
        """Take a message in the place of an older one with its id."""
        label = _label(message)
        if label is None:
            self.n_unread += 1
            return
        if label.is_first:
            self.first_at.setdefault(label.bundle, {}).setdefault(label.alert, label.at_ms)
        if self.wanted is None or label.alert in self.wanted:
            answers = self.of_bundles.setdefault(label.bundle, {})
            before = answers.get(label.alert)
            if before is None or label.curve_version > before.curve_version:
                self._keep(answers, label, message)

    def _keep(
        self, answers: dict[AlertName, BriefAnswer], label: Label, message: KafkaMessage
    ) -> None:
        try:
            content = orjson.loads(message.value() or b"")
            names = tuple(content["probabilities"])
            answers[label.alert] = BriefAnswer(
                content["object_id"],
                label.curve_version,
                content["class"],
                content["n_points_used"],
                self._classes.setdefault(names, names),  # millions of answers share a few
                np.array(list(content["probabilities"].values()), dtype=np.float32),
            )
        except (ValueError, KeyError, TypeError):
            self.n_unread += 1


def read_answers(
    settings: KafkaSettings,
    topic: str,
    wanted: Set[AlertName] | None = None,
    track: Track = untracked,
) -> BriefAnswers:
    """Read a topic of classifications from its beginning to where it ends now.

    Raises
    ------
    DataError
        If there is no such topic.
    OutputUnavailableError
        If Kafka does not answer.
    """
    answers = BriefAnswers(wanted)
    for message in track(_messages(settings, topic), "answers"):
        answers.enter(message)
    if answers.n_unread:
        log.warning("messages left out: no answers, or too old or too large", n=answers.n_unread)
    return answers


def _messages(settings: KafkaSettings, topic: str) -> Iterator[KafkaMessage]:
    own = READS_TO_END | {"group.id": f"broker-classifier-agree-{uuid4()}"}
    consumer = opened(Consumer, own | client_settings(settings))
    servers = settings.bootstrap_servers
    try:
        if consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].error is not None:
            msg = f"there is no topic {topic} at {servers}"
            raise DataError(msg)
        yield from stored_messages(consumer, topic, beginnings)
    except KafkaException as error:
        msg = f"{topic} cannot be read at {servers}: {error.args[0].str()}"
        raise OutputUnavailableError(msg) from error
    finally:
        consumer.close()


def _label(message: KafkaMessage) -> Label | None:
    headers, (_, at_ms) = headers_of(message), message.timestamp()
    alert_id, _, bundle = headers.get("id", "").partition(":")
    try:
        alert = headers["survey"], int(alert_id)
        version = int(headers["curve_version"])
    except (KeyError, ValueError):
        return None
    return Label(bundle, alert, version, headers.get("revised") == "false", at_ms)
