"""One batch worked out: decoded, sorted out and classified; nothing leaves the process."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broker_classifier.bundle import Bundle
from broker_classifier.classify import classify, used_points
from broker_classifier.intake import Intake, Task, sort_out
from broker_classifier.metrics import Metrics
from broker_classifier.outcomes import Answer, remembered
from broker_classifier.publish import outgoing
from broker_classifier.reception import Reception, dead_letters, receive
from broker_classifier.store import LightCurveStore, ObjectRecord
from broker_classifier.streams.message import Message, Outgoing, Sink, Source
from broker_classifier.surveys.alert import Decoder


@dataclass(frozen=True)
class Street:
    """Everything that alerts pass on their way, opened.

    Attributes
    ----------
    decoders : mapping of str to Decoder
        The decoder of every stream.
    bundles : mapping of str to Bundle
        The bundle of every survey that has one; alerts of others are declined.
    retention_s, prune_interval_s : float
        How long an object without alerts is remembered, and how often that is checked.
    history_days : mapping of str to float
        See `Reception`.
    """

    source: Source
    sink: Sink
    store: LightCurveStore
    decoders: Mapping[str, Decoder]
    bundles: Mapping[str, Bundle]
    metrics: Metrics
    output_topic: str
    dead_letter_topic: str
    retry_delay_s: float = 1.0
    retention_s: float = float("inf")
    prune_interval_s: float = 3600.0
    history_days: Mapping[str, float] = field(default_factory=dict)

    @property
    def reception(self) -> Reception:
        """How its messages are read."""
        return Reception(self.decoders, self.history_days, frozenset(self.bundles))


@dataclass(frozen=True)
class Batch:
    """A batch that is worked out: what to publish, to remember and to count.

    Attributes
    ----------
    answers : list of (Task, Classification or None)
    letters : list of Outgoing
        Dead letters.
    outgoing : list of Outgoing
        Results, then dead letters.
    records : mapping of str to ObjectRecord
    started : float
        When work on it began (`time.perf_counter`, s).
    """

    messages: Sequence[Message]
    started: float
    intake: Intake
    answers: list[Answer]
    letters: list[Outgoing]
    outgoing: list[Outgoing]
    records: Mapping[str, ObjectRecord]


def work_out(
    street: Street, messages: Sequence[Message], ahead: Mapping[str, ObjectRecord]
) -> Batch:
    """Decode a batch, read what is known, and classify; nothing leaves the process.

    Parameters
    ----------
    ahead : mapping of str to ObjectRecord
        What the store will be told of the batch before.
    """
    started = time.perf_counter()

    def read(names: Sequence[str]) -> list[ObjectRecord]:
        known = zip(names, street.store.read(names), strict=True)
        return [one.merge(ahead[name]) if name in ahead else one for name, one in known]

    arrivals, failed, known = receive(messages, street.reception, read)
    letters = dead_letters(failed, street.dead_letter_topic)
    intake = sort_out(arrivals, known, lambda survey: used_points(street.bundles.get(survey)))
    answers = answer(intake.tasks, street.bundles, known)
    return Batch(
        messages=messages,
        started=started,
        intake=intake,
        answers=answers,
        letters=letters,
        outgoing=[*results(street, answers), *letters],
        records=remembered(intake, arrivals, answers),
    )


def answer(
    tasks: Sequence[Task], bundles: Mapping[str, Bundle], known: Mapping[str, ObjectRecord]
) -> list[Answer]:
    """Classify a batch, all alerts of one bundle at once.

    Returns
    -------
    list of (Task, Classification or None)
        None where the light curve has no point that the bundle takes.
    """
    answers: list[Answer] = []
    for survey in dict.fromkeys(task.arrival.alert.survey for task in tasks):
        ours = [task for task in tasks if task.arrival.alert.survey == survey]
        memories = [known[task.arrival.alert.key].memory for task in ours]
        classifications = classify([task.curve for task in ours], bundles[survey], memories)
        answers.extend(zip(ours, classifications, strict=True))
    return answers


def results(street: Street, answers: Sequence[Answer]) -> list[Outgoing]:
    """Write the messages of a batch: answers, and those taken back for want of usable points."""
    now = time.time()
    told = [(task, one) for task, one in answers if one is not None or task.is_revision]
    messages: list[Outgoing] = []
    for survey in dict.fromkeys(task.arrival.alert.survey for task, _ in told):
        ours = [answer for answer in told if answer[0].arrival.alert.survey == survey]
        tasks, classifications = zip(*ours, strict=True)
        bundle = street.bundles[survey]
        messages += outgoing(tasks, classifications, bundle, street.output_topic, now)
    return messages
