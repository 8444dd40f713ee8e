"""The loop: one batch of alerts after another through the service, and nothing lost on the way.

    1 classify   poll, decode, read the store, sort out, classify; nothing leaves the process
    2 store      put the objects into the store, unless others were faster; those again from 1
    3 flush      the disk has them
    4 send       hand results and dead letters to Kafka
    5 confirm    Kafka has them
    6 commit     the messages need never come again

Each step of a batch begins after the one before it has ended. So a crash at any point loses
nothing: a message that was not committed comes again, and what followed from it is answered again
under the same id. While something is down, the loop waits at its step and goes on from there. When
what is in flight is void (its partitions were taken away, the store lost what it had not on disk),
it is dropped, and its messages are read again.

Every object is put into the store under a version that its messages carry. So whatever crashed, and
however many workers there are: of the messages with one id that with the highest version rests on
all alerts.

Three batches are in flight, so that neither the disk nor Kafka is waited for in idleness. While
the disk takes the records of one and Kafka the results of the one before, the next is classified.
One round of the loop goes:

    batch n      1 classify                                              2 store
    batch n-1                                        3 flush, 4 send
    batch n-2                   5 confirm, 6 commit
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from broker_classifier.errors import (
    OutputUnavailableError,
    SchemasUnavailableError,
    StartOverError,
    StoreUnavailableError,
    UnavailableError,
)
from broker_classifier.light_curve.photometry import unix_from_mjd
from broker_classifier.logs import WaitingLog, get_logger
from broker_classifier.service.batch import Batch, classify_batch, published, stored
from broker_classifier.service.begun_objects import begun_objects
from broker_classifier.service.declines import UNUSABLE
from broker_classifier.service.housekeeping import HouseKeeping
from broker_classifier.service.metrics import Metrics
from broker_classifier.service.street import Service
from broker_classifier.service.triage import Outcome, Task
from broker_classifier.streams.message import Message, Outgoing

log = get_logger()

Result = TypeVar("Result")

WAITS_FOR = {
    StoreUnavailableError: "store",
    OutputUnavailableError: "output",
    SchemasUnavailableError: "schemas",
}


class Stored(NamedTuple):
    """A batch whose records are in the store, and the messages that follow from it."""

    batch: Batch
    outgoing: list[Outgoing]


class InFlight(NamedTuple):
    """The batches under way: one that is not on disk yet, one that Kafka has not confirmed."""

    unflushed: Stored | None = None
    unconfirmed: Batch | None = None


class _StoppedError(Exception):
    """The service was told to stop while it waited for something."""


def run(service: Service, stop: threading.Event) -> None:
    """Work until `stop` is set or the source is exhausted; a batch under way is finished first."""
    house = HouseKeeping(service)
    in_flight = given_up(service, stop)
    while not (stop.is_set() or service.source.is_exhausted):
        try:
            messages = service.source.poll(wait=not any(in_flight))
            note_input(service)
            in_flight = advance(service, messages, in_flight, stop)
        except StartOverError as error:
            in_flight = start_over(service, error, stop)
        house.keep()
    while any(in_flight):
        try:
            in_flight = advance(service, [], in_flight, stop)
        except StartOverError as error:
            in_flight = start_over(service, error, stop)


def note_input(service: Service) -> None:
    """Note that the loop runs, and which streams answer."""
    source = service.source
    if source.is_connected:
        service.metrics.beat()
    else:
        service.metrics.beat("input", f"no Kafka answers at {source.address}")
    service.metrics.note_inputs(source.connections, source.lags)


def start_over(service: Service, reason: StartOverError, stop: threading.Event) -> InFlight:
    """Drop the batches in flight, and go back to the first message that is not committed."""
    log.warning("starting over from what is committed", reason=str(reason))
    service.metrics.count_start_over()
    in_flight = given_up(service, stop)
    service.source.rewind()
    return in_flight


def given_up(service: Service, stop: threading.Event) -> InFlight:
    """Give up what was sent and not confirmed, by a former self, too; nothing is in flight then."""
    with suppress(_StoppedError):
        retried(service, stop, service.sink.abandon)
    return InFlight()


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
    batch = _classified(service, messages, stop) if messages else None  # 1
    try:
        if before.unconfirmed:
            confirm_batch(service, before.unconfirmed, stop)  # 5
            commit_batch(service, before.unconfirmed)  # 6
        if before.unflushed:
            retried(service, stop, service.store.flush)  # 3
            service.sink.send(before.unflushed.outgoing, before.unflushed.batch.messages)  # 4
        unflushed = store_batch(service, batch, stop) if batch else None  # 2
    except _StoppedError:
        return InFlight()
    return InFlight(unflushed, before.unflushed.batch if before.unflushed else None)


def _classified(
    service: Service, messages: Sequence[Message], stop: threading.Event
) -> Batch | None:
    """Classify a batch; None when told to stop, so that only those before it are finished."""
    try:
        batch = retried(service, stop, lambda: classify_batch(service, messages))
    except _StoppedError:
        return None
    return None if stop.is_set() else batch


def store_batch(service: Service, batch: Batch, stop: threading.Event) -> Stored:
    """Put a batch into the store, and write its messages while the disk takes it."""
    as_stored = retried(service, stop, lambda: stored(service, batch))
    return Stored(as_stored, published(service, as_stored))


def confirm_batch(service: Service, batch: Batch, stop: threading.Event) -> None:
    """Wait until Kafka has the results."""
    retried(service, stop, service.sink.confirm)
    count_latencies(service.metrics, batch.new_tasks.answered)


def commit_batch(service: Service, batch: Batch) -> None:
    """Tell Kafka that the messages need not come again."""
    service.source.commit(batch.messages)
    count(service.metrics, batch, time.perf_counter() - batch.started)


def retried(service: Service, stop: threading.Event, step: Callable[[], Result]) -> Result:
    """Do a step, again and again while what it needs is down."""
    waiting = WaitingLog("the service")
    while True:
        try:
            result = step()
        except UnavailableError as error:
            service.metrics.beat(WAITS_FOR[type(error)], str(error))
            service.metrics.count_retry(WAITS_FOR[type(error)])
            waiting.note(str(error))
            if stop.wait(service.retry_delay_s):
                raise _StoppedError from error
        else:
            waiting.note("")
            return result


def count_latencies(metrics: Metrics, tasks: Sequence[Task]) -> None:
    """Note how long the alerts took whose first answers have just been published."""
    now = time.time()
    received_ms = [task.arrival.message.timestamp_ms for task in tasks]
    since_kafka_s = [now - ms / 1000.0 for ms in received_ms if ms is not None]
    metrics.count_latencies(since_kafka_s, [now - unix_from_mjd(task.mjd) for task in tasks])


def count(metrics: Metrics, batch: Batch, seconds: float) -> None:
    """Count what became of a batch that is published and stored."""
    n_answered, n_unusable = map(len, batch.new_tasks)
    for reason in [reason for _, reason in batch.triaged.declined] + [UNUSABLE] * n_unusable:
        metrics.count_declined(reason)
    for letter in batch.letters:
        metrics.count_dead_letter(letter.headers["reason"])
    for served, of_bundle in batch.answers.items():
        n_revised = len([task for task, _ in of_bundle if task.is_revision])
        n_empty = len(
            [task for task, answer in of_bundle if answer is None and not task.is_revision]
        )
        n_first = len(of_bundle) - n_revised - n_empty
        metrics.count_answers(served.label, served.topic, n_first, n_revised)
    metrics.count_begun(begun_objects(batch.arrivals, batch.records, batch.expected))
    outcomes = {
        Outcome.CLASSIFIED: n_answered,
        Outcome.DECLINED: len(batch.triaged.declined) + n_unusable,
        Outcome.DUPLICATE: len(batch.triaged.duplicates),
        Outcome.WITHDRAWN: len(batch.triaged.withdrawn),
        Outcome.DEAD_LETTERED: len(batch.letters),
    }
    metrics.count_batch(outcomes, seconds)
    log.debug("batch done", **{str(outcome): n for outcome, n in outcomes.items()})
