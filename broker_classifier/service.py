"""The loop: one batch of alerts after another down the street, and never a step ahead of itself.

    poll ─► decode ─► read ─► sort out ─► classify ─► publish ─► remember ─► commit
              │                                          ▲
              └── dead letters ──────────────────────────┘

Nothing is remembered before Kafka confirmed it, and nothing is committed before it is remembered.
So a crash at any arrow loses nothing: the batch comes again, what was not yet remembered is
answered the same way under the same id, and what was is a duplicate.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from broker_classifier.bundle import Bundle
from broker_classifier.classify import Classification, classify
from broker_classifier.dead_letters import dead_letter
from broker_classifier.errors import (
    MessageError,
    OutputUnavailableError,
    SchemasUnavailableError,
    StoreUnavailableError,
    UnavailableError,
)
from broker_classifier.intake import Arrival, Intake, Outcome, Task, UsedPoints, sort_out
from broker_classifier.metrics import Metrics
from broker_classifier.publish import outgoing, unix_from_mjd
from broker_classifier.selection import select
from broker_classifier.store import LightCurveStore, ObjectRecord, answered
from broker_classifier.streams.message import Message, Outgoing, Sink, Source
from broker_classifier.surveys import DECODERS

log = structlog.get_logger()

Answer = tuple[Task, Classification]
WAITS_FOR = {
    StoreUnavailableError: "store",
    OutputUnavailableError: "output",
    SchemasUnavailableError: "schemas",
}


@dataclass(frozen=True)
class Street:
    """Everything that the loop works with, opened.

    Attributes
    ----------
    bundles : mapping of str to Bundle
        The bundle of every survey.
    retention_s, prune_interval_s : float
        How long an object without alerts is remembered, and how often that is checked.
    """

    source: Source
    sink: Sink
    store: LightCurveStore
    bundles: Mapping[str, Bundle]
    metrics: Metrics
    output_topic: str
    dead_letter_topic: str
    retry_delay_s: float = 1.0
    retention_s: float = float("inf")
    prune_interval_s: float = 3600.0


def run(street: Street, stop: threading.Event) -> None:
    """Work until `stop` is set or the source is exhausted; a batch under way is finished first."""
    next_prune = time.monotonic() + street.prune_interval_s
    while not (stop.is_set() or street.source.is_exhausted):
        messages = street.source.poll()
        street.metrics.beat()
        if messages and carry(street, messages, stop):
            street.source.commit(messages)
        if time.monotonic() >= next_prune:
            prune(street)
            next_prune = time.monotonic() + street.prune_interval_s


def carry(street: Street, messages: Sequence[Message], stop: threading.Event) -> bool:
    """Take a batch down the street, again and again while something is down.

    Returns
    -------
    bool
        Whether the batch is published and remembered; False only when told to stop before.
    """
    while True:
        try:
            process(street, messages)
            return True
        except UnavailableError as error:
            street.metrics.beat(waiting_for=WAITS_FOR[type(error)])
            log.error("waiting, nothing is committed", reason=str(error), batch=len(messages))
            if stop.wait(street.retry_delay_s):
                return False


def process(street: Street, messages: Sequence[Message]) -> dict[Outcome, int]:
    """Take one batch down the street once, up to the commit; return how many met which outcome."""
    started = time.perf_counter()
    arrivals, letters = decode(messages, street.dead_letter_topic)
    names = list(dict.fromkeys(arrival.alert.object_id for arrival in arrivals))
    known = dict(zip(names, street.store.read(names), strict=True))
    intake = sort_out(arrivals, known, lambda survey: used_points(street.bundles[survey]))
    answers, unusable = answer(intake.tasks, street.bundles)
    street.sink.publish([*results(street, answers), *letters])
    street.store.merge(remembered(intake, arrivals), seen_at=time.time())
    declined = [reason for _, reason in intake.declined] + ["no_usable_points"] * len(unusable)
    outcomes = count(street.metrics, answers, declined, letters) | {
        Outcome.DUPLICATE: len(intake.duplicates),
        Outcome.WITHDRAWN: len(intake.withdrawn),
    }
    street.metrics.count_batch(outcomes, time.perf_counter() - started, len(street.store))
    log.debug("batch done", **{str(outcome): n for outcome, n in outcomes.items()})
    return outcomes


def decode(
    messages: Sequence[Message], dead_letter_topic: str
) -> tuple[list[Arrival], list[Outgoing]]:
    """Decode every message, all of one survey at once; what cannot be becomes a dead letter."""
    arrivals, letters = [], []
    for survey in dict.fromkeys(message.survey for message in messages):
        ours = [message for message in messages if message.survey == survey]
        decoded = DECODERS[survey]([message.value for message in ours])
        for message, alert in zip(ours, decoded, strict=True):
            if isinstance(alert, MessageError):
                log.warning("dead letter", origin=message.origin, reason=str(alert))
                letters.append(dead_letter(message, alert, dead_letter_topic))
            else:
                arrivals.append(Arrival(message, alert))
    return arrivals, letters


def used_points(bundle: Bundle) -> UsedPoints:
    """Return the function that picks the points of a light curve that a bundle would use."""
    return lambda curve: curve.points[select(curve, bundle.selection).index]


def answer(tasks: Sequence[Task], bundles: Mapping[str, Bundle]) -> tuple[list[Answer], list[Task]]:
    """Classify a batch, all alerts of one bundle at once.

    Returns
    -------
    answers : list of (Task, Classification)
    unusable : list of Task
        New alerts whose light curves have no point that their bundle takes.
    """
    answers, unusable = [], []
    for survey in dict.fromkeys(task.arrival.alert.survey for task in tasks):
        ours = [task for task in tasks if task.arrival.alert.survey == survey]
        classifications = classify([task.curve for task in ours], bundles[survey])
        for task, classification in zip(ours, classifications, strict=True):
            if classification is not None:
                answers.append((task, classification))
            elif not task.is_revision:
                unusable.append(task)
    return answers, unusable


def results(street: Street, answers: Iterable[Answer]) -> list[Outgoing]:
    """Write the messages of a batch's classifications."""
    now = datetime.now(UTC)
    return [
        outgoing(
            task,
            classification,
            street.bundles[task.arrival.alert.survey],
            street.output_topic,
            now,
        )
        for task, classification in answers
    ]


def remembered(intake: Intake, arrivals: Iterable[Arrival]) -> dict[str, ObjectRecord]:
    """Return what the store must know of a batch: merged curves, and whose alerts are answered."""
    alerts: dict[str, list[tuple[int, float]]] = {name: [] for name in intake.merged}
    for arrival in arrivals:
        alert = arrival.alert
        alerts[alert.object_id].append((alert.alert_id, alert.mjd))
    return {
        name: ObjectRecord(curve, answered(alerts[name])) for name, curve in intake.merged.items()
    }


def count(
    metrics: Metrics,
    answers: Sequence[Answer],
    declined: Sequence[str],
    letters: Sequence[Outgoing],
) -> dict[Outcome, int]:
    """Count what became of a batch that is published and remembered."""
    now = time.time()
    first_answers = [task for task, _ in answers if not task.is_revision]
    for task in first_answers:
        since_kafka_s = now - task.arrival.message.timestamp_ms / 1000.0
        metrics.count_classification(since_kafka_s, now - unix_from_mjd(task.mjd))
    for reason in declined:
        metrics.count_declined(reason)
    for letter in letters:
        metrics.count_dead_letter(letter.headers["reason"])
    metrics.count_revisions(len(answers) - len(first_answers))
    return {
        Outcome.CLASSIFIED: len(first_answers),
        Outcome.DECLINED: len(declined),
        Outcome.DEAD_LETTERED: len(letters),
    }


def prune(street: Street) -> None:
    """Forget objects past their retention time; a store that is down is left for the next time."""
    try:
        n_pruned = street.store.prune(seen_before=time.time() - street.retention_s)
    except StoreUnavailableError as error:
        log.error("pruning is put off", reason=str(error))
        return
    street.metrics.count_pruned(n_pruned)
    log.info("pruned", objects=n_pruned)
