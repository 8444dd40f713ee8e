"""The loop: one batch of alerts after another down the street, and nothing lost on the way.

poll ─► decode ─► read ─► sort out ─► classify ─► publish ─► remember ─► commit
          │                                          ▲
          └── dead letters ──────────────────────────┘

Nothing is remembered before Kafka confirmed it, and nothing is committed before it is remembered.
So a crash at any arrow loses nothing: what was not committed comes again, what was not yet
remembered is answered the same way under the same id, and what was is a duplicate. While something
is down, the loop waits at its step and goes on from there.

While Kafka takes the results of one batch, the next is worked out, with what the store will be
told of the first; it is sent once the first is confirmed, so that results stay in their order.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from broker_classifier.bundle import Bundle
from broker_classifier.classify import classify, used_points
from broker_classifier.errors import (
    OutputUnavailableError,
    SchemasUnavailableError,
    StoreUnavailableError,
    UnavailableError,
)
from broker_classifier.intake import Intake, Outcome, Task, sort_out
from broker_classifier.metrics import Metrics
from broker_classifier.outcomes import Answer, remembered
from broker_classifier.photometry import unix_from_mjd
from broker_classifier.publish import outgoing
from broker_classifier.reception import Reception, dead_letters, receive
from broker_classifier.store import LightCurveStore, ObjectRecord
from broker_classifier.streams.message import Message, Outgoing, Sink, Source
from broker_classifier.surveys.alert import Decoder

log = structlog.get_logger()

Result = TypeVar("Result")

PRUNED_AT_ONCE = 1000  # objects: 2 ms between two batches
UNUSABLE = "no_usable_points"
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


class _StoppedError(Exception):
    """The service was told to stop while it waited for something."""


def run(street: Street, stop: threading.Event) -> None:
    """Work until `stop` is set or the source is exhausted; a batch under way is finished first."""
    next_prune = time.monotonic() if math.isfinite(street.retention_s) else math.inf
    under_way: Batch | None = None
    while not (stop.is_set() or street.source.is_exhausted):
        messages = street.source.poll(wait=under_way is None)
        street.metrics.beat(None if street.source.is_connected else "input")
        under_way = carry(street, messages, under_way, stop)
        if time.monotonic() >= next_prune and prune(street):
            next_prune = time.monotonic() + street.prune_interval_s
    carry(street, [], under_way, stop)


def carry(
    street: Street, messages: Sequence[Message], before: Batch | None, stop: threading.Event
) -> Batch | None:
    """Work a batch out and send it; in the meantime the one before is confirmed and remembered.

    What is down is waited for, and what is done is not repeated.

    Returns
    -------
    Batch or None
        The one that was sent; None if there were no messages, or when told to stop.
    """
    batch = _worked_out(street, messages, before, stop) if messages else None
    try:
        if before:
            _patiently(street, stop, street.sink.confirm)
            count_latencies(street.metrics, before.answers)
        if batch:
            street.sink.send(batch.outgoing)
        if before:
            remember(street, before, stop)
    except _StoppedError:
        return None
    return batch


def _worked_out(
    street: Street, messages: Sequence[Message], before: Batch | None, stop: threading.Event
) -> Batch | None:
    """Work a batch out; None when told to stop, so that only the one before is finished."""
    ahead = before.records if before else {}
    try:
        batch = _patiently(street, stop, lambda: work_out(street, messages, ahead))
    except _StoppedError:
        return None
    return None if stop.is_set() else batch


def remember(street: Street, batch: Batch, stop: threading.Event) -> None:
    """Write what is known now, then tell Kafka that these messages need not come again."""
    _patiently(street, stop, lambda: street.store.merge(batch.records, seen_at=time.time()))
    n_objects = _patiently(street, stop, lambda: len(street.store))
    street.source.commit(batch.messages)
    count(street.metrics, batch, time.perf_counter() - batch.started, n_objects)


def _patiently(street: Street, stop: threading.Event, step: Callable[[], Result]) -> Result:
    while True:
        try:
            return step()
        except UnavailableError as error:
            street.metrics.beat(waiting_for=WAITS_FOR[type(error)])
            street.metrics.count_retry(WAITS_FOR[type(error)])
            log.error("waiting, nothing is committed", reason=str(error))
            if stop.wait(street.retry_delay_s):
                raise _StoppedError from error


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


def count_latencies(metrics: Metrics, answers: Iterable[Answer]) -> None:
    """Note how long the answers took that have just been published."""
    now = time.time()
    tasks = [task for task, one in answers if one is not None and not task.is_revision]
    received_ms = [task.arrival.message.timestamp_ms for task in tasks]
    since_kafka_s = [now - ms / 1000.0 for ms in received_ms if ms is not None]
    metrics.count_latencies(since_kafka_s, [now - unix_from_mjd(task.mjd) for task in tasks])


def count(metrics: Metrics, batch: Batch, seconds: float, n_objects: int) -> None:
    """Count what became of a batch that is published and remembered."""
    first = [one for task, one in batch.answers if not task.is_revision]
    n_unusable = sum(one is None for one in first)
    for reason in [reason for _, reason in batch.intake.declined] + [UNUSABLE] * n_unusable:
        metrics.count_declined(reason)
    for letter in batch.letters:
        metrics.count_dead_letter(letter.headers["reason"])
    metrics.count_revisions(len(batch.answers) - len(first))
    outcomes = {
        Outcome.CLASSIFIED: len(first) - n_unusable,
        Outcome.DECLINED: len(batch.intake.declined) + n_unusable,
        Outcome.DUPLICATE: len(batch.intake.duplicates),
        Outcome.WITHDRAWN: len(batch.intake.withdrawn),
        Outcome.DEAD_LETTERED: len(batch.letters),
    }
    metrics.count_batch(outcomes, seconds, n_objects)
    log.debug("batch done", **{str(outcome): n for outcome, n in outcomes.items()})


def prune(street: Street) -> bool:
    """Forget objects past their retention time, after each batch a part of the way through all.

    Returns
    -------
    bool
        Whether this is done, or put off because the store is down.
    """
    try:
        pruned = street.store.prune(time.time() - street.retention_s, PRUNED_AT_ONCE)
        n_objects = len(street.store)
    except StoreUnavailableError as error:
        log.error("pruning is put off", reason=str(error))
        return True
    street.metrics.count_pruned(pruned.n_forgotten, n_objects)
    return pruned.is_end
