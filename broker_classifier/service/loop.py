"""The loop: one batch of alerts after another down the street, and nothing lost on the way.

poll ─► decode ─► read ─► sort out ─► classify ─► publish ─► remember ─► commit
          │                                          ▲
          └── dead letters ──────────────────────────┘

Nothing is remembered before Kafka confirmed it, and nothing is committed before it is remembered.
So a crash at any arrow loses nothing: what was not committed comes again, what was not yet
remembered is answered the same way under the same id, and what was is a duplicate. While something
is down, the loop waits at its step and goes on from there.

While Kafka takes the results of one batch, and the disk what is remembered of the one before it,
the next is worked out, with what the store will be told of the first; it is sent once the first is
confirmed, so that results stay in their order.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import structlog

from broker_classifier.errors import (
    OutputUnavailableError,
    SchemasUnavailableError,
    StoreUnavailableError,
    UnavailableError,
)
from broker_classifier.light_curve.photometry import unix_from_mjd
from broker_classifier.service.batch import Answer, Batch, work_out
from broker_classifier.service.metrics import Metrics
from broker_classifier.service.street import Street
from broker_classifier.service.triage import Outcome
from broker_classifier.streams.message import Message

log = structlog.get_logger()

Result = TypeVar("Result")

PRUNED_AT_ONCE = 1000  # objects: 2 ms between two batches
UNUSABLE = "no_usable_points"
WAITS_FOR = {
    StoreUnavailableError: "store",
    OutputUnavailableError: "output",
    SchemasUnavailableError: "schemas",
}


class UnderWay(NamedTuple):
    """The batches under way: one sent to Kafka, and the one before it given to the store."""

    sent: Batch | None = None
    stored: Batch | None = None


class _StoppedError(Exception):
    """The service was told to stop while it waited for something."""


def run(street: Street, stop: threading.Event) -> None:
    """Work until `stop` is set or the source is exhausted; a batch under way is finished first."""
    next_prune = time.monotonic() if math.isfinite(street.retention_s) else math.inf
    under_way = UnderWay()
    while not (stop.is_set() or street.source.is_exhausted):
        messages = street.source.poll(wait=not any(under_way))
        street.metrics.beat(None if street.source.is_connected else "input")
        under_way = carry(street, messages, under_way, stop)
        if time.monotonic() >= next_prune and prune(street):
            next_prune = time.monotonic() + street.prune_interval_s
    while any(under_way):
        under_way = carry(street, [], under_way, stop)


def carry(
    street: Street, messages: Sequence[Message], before: UnderWay, stop: threading.Event
) -> UnderWay:
    """Work a batch out and send it; in the meantime those before it are confirmed and remembered.

    What is down is waited for, and what is done is not repeated.

    Returns
    -------
    UnderWay
        The one that was sent and the one before it; none when told to stop.
    """
    batch = _worked_out(street, messages, before.sent, stop) if messages else None
    try:
        if before.sent:
            _patiently(street, stop, street.sink.confirm)
            count_latencies(street.metrics, before.sent.answers)
        if before.stored:
            finish(street, before.stored, stop)
        if batch:
            street.sink.send(batch.outgoing)
        if before.sent:
            remember(street, before.sent, stop)
    except _StoppedError:
        return UnderWay()
    return UnderWay(batch, before.sent)


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
    """Begin to write what is known now."""
    _patiently(street, stop, lambda: street.store.merge(batch.records, seen_at=time.time()))


def finish(street: Street, batch: Batch, stop: threading.Event) -> None:
    """Wait until that is written, then tell Kafka that these messages need not come again."""
    _patiently(street, stop, street.store.flush)
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
