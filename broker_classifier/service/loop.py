"""The loop: one batch of alerts after another through the service, and nothing lost on the way.

    1 classify   poll, decode, read the store, sort out, classify; nothing leaves the process
    2 send       hand results and dead letters to Kafka
    3 confirm    Kafka has them
    4 store      hand the store what is known now
    5 flush      the disk has it
    6 commit     the messages need never come again

Each step of a batch begins after the one before it has ended. So a crash at any point loses
nothing: a message that was not committed comes again. It is answered again in the same way and
under the same id if the store did not have it yet, and is a duplicate if the store had. While
something is down, the loop waits at its step and goes on from there.

Three batches are in flight, so that neither Kafka nor the disk is waited for in idleness. While
Kafka takes the results of one and the disk the records of the one before, the next is classified,
with the records that are on their way to the store. One round of the loop goes:

    batch n      1 classify                                  2 send
    batch n-1                   3 confirm                               4 store
    batch n-2                                5 flush, 6 commit
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
from broker_classifier.service.batch import Batch, classify_batch
from broker_classifier.service.metrics import Metrics
from broker_classifier.service.street import Service
from broker_classifier.service.triage import Answer, Outcome
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


class InFlight(NamedTuple):
    """The batches under way: one that Kafka has not confirmed, one that is not on disk."""

    unconfirmed: Batch | None = None
    unflushed: Batch | None = None


class _StoppedError(Exception):
    """The service was told to stop while it waited for something."""


def run(service: Service, stop: threading.Event) -> None:
    """Work until `stop` is set or the source is exhausted; a batch under way is finished first."""
    next_prune = time.monotonic() if math.isfinite(service.retention_s) else math.inf
    in_flight = InFlight()
    while not (stop.is_set() or service.source.is_exhausted):
        messages = service.source.poll(wait=not any(in_flight))
        service.metrics.beat(None if service.source.is_connected else "input")
        in_flight = advance(service, messages, in_flight, stop)
        if time.monotonic() >= next_prune and prune(service):
            next_prune = time.monotonic() + service.prune_interval_s
    while any(in_flight):
        in_flight = advance(service, [], in_flight, stop)


def advance(
    service: Service, messages: Sequence[Message], before: InFlight, stop: threading.Event
) -> InFlight:
    """Take the batches in flight one round further; the numbers are the steps of this module.

    What is down is waited for, and what is done is not repeated.

    Returns
    -------
    InFlight
        No batches when told to stop while something was down.
    """
    batch = _classified(service, messages, before.unconfirmed, stop) if messages else None  # 1
    try:
        if before.unconfirmed:
            confirm_batch(service, before.unconfirmed, stop)  # 3
        if before.unflushed:
            commit_batch(service, before.unflushed, stop)  # 5, 6
        if batch:
            service.sink.send(batch.outgoing)  # 2
        if before.unconfirmed:
            store_batch(service, before.unconfirmed, stop)  # 4
    except _StoppedError:
        return InFlight()
    return InFlight(unconfirmed=batch, unflushed=before.unconfirmed)


def _classified(
    service: Service, messages: Sequence[Message], before: Batch | None, stop: threading.Event
) -> Batch | None:
    """Classify a batch; None when told to stop, so that only the batch before it is finished."""
    ahead = before.records if before else {}
    try:
        batch = retried(service, stop, lambda: classify_batch(service, messages, ahead))
    except _StoppedError:
        return None
    return None if stop.is_set() else batch


def confirm_batch(service: Service, batch: Batch, stop: threading.Event) -> None:
    """Wait until Kafka has the results."""
    retried(service, stop, service.sink.confirm)
    count_latencies(service.metrics, batch.answers)


def store_batch(service: Service, batch: Batch, stop: threading.Event) -> None:
    """Hand the store the records of a batch that Kafka has confirmed."""
    retried(service, stop, lambda: service.store.merge(batch.records, seen_at=time.time()))


def commit_batch(service: Service, batch: Batch, stop: threading.Event) -> None:
    """Wait until the records are on disk, then tell Kafka that the messages need not come again."""
    retried(service, stop, service.store.flush)
    n_objects = retried(service, stop, lambda: len(service.store))
    service.source.commit(batch.messages)
    count(service.metrics, batch, time.perf_counter() - batch.started, n_objects)


def retried(service: Service, stop: threading.Event, step: Callable[[], Result]) -> Result:
    """Do a step, again and again while what it needs is down."""
    while True:
        try:
            return step()
        except UnavailableError as error:
            service.metrics.beat(waiting_for=WAITS_FOR[type(error)])
            service.metrics.count_retry(WAITS_FOR[type(error)])
            log.error("waiting, nothing is committed", reason=str(error))
            if stop.wait(service.retry_delay_s):
                raise _StoppedError from error


def count_latencies(metrics: Metrics, answers: Iterable[Answer]) -> None:
    """Note how long the answers took that have just been published."""
    now = time.time()
    tasks = [task for task, one in answers if one is not None and not task.is_revision]
    received_ms = [task.arrival.message.timestamp_ms for task in tasks]
    since_kafka_s = [now - ms / 1000.0 for ms in received_ms if ms is not None]
    metrics.count_latencies(since_kafka_s, [now - unix_from_mjd(task.mjd) for task in tasks])


def count(metrics: Metrics, batch: Batch, seconds: float, n_objects: int) -> None:
    """Count what became of a batch that is published and stored."""
    first = [one for task, one in batch.answers if not task.is_revision]
    n_unusable = sum(one is None for one in first)
    for reason in [reason for _, reason in batch.triaged.declined] + [UNUSABLE] * n_unusable:
        metrics.count_declined(reason)
    for letter in batch.letters:
        metrics.count_dead_letter(letter.headers["reason"])
    metrics.count_revisions(len(batch.answers) - len(first))
    outcomes = {
        Outcome.CLASSIFIED: len(first) - n_unusable,
        Outcome.DECLINED: len(batch.triaged.declined) + n_unusable,
        Outcome.DUPLICATE: len(batch.triaged.duplicates),
        Outcome.WITHDRAWN: len(batch.triaged.withdrawn),
        Outcome.DEAD_LETTERED: len(batch.letters),
    }
    metrics.count_batch(outcomes, seconds, n_objects)
    log.debug("batch done", **{str(outcome): n for outcome, n in outcomes.items()})


def prune(service: Service) -> bool:
    """Forget objects past their retention time, after each batch a part of the way through all.

    Returns
    -------
    bool
        Whether this is done, or put off because the store is down.
    """
    try:
        pruned = service.store.prune(time.time() - service.retention_s, PRUNED_AT_ONCE)
        n_objects = len(service.store)
    except StoreUnavailableError as error:
        log.error("pruning is put off", reason=str(error))
        return True
    service.metrics.count_pruned(pruned.n_forgotten, n_objects)
    return pruned.is_end
