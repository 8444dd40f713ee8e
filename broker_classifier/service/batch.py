"""One batch, decoded, sorted out and classified; nothing leaves the process."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from broker_classifier.model.classify import classify
from broker_classifier.service.publish import outgoing
from broker_classifier.service.receive import NO_BUNDLE, by_survey, dead_letters, receive
from broker_classifier.service.street import Service
from broker_classifier.service.triage import Answer, Arrival, Task, Triage, triage
from broker_classifier.store import ObjectRecord, answered
from broker_classifier.streams.message import Message, Outgoing


@dataclass(frozen=True)
class Batch:
    """A classified batch: what to publish, to store and to count.

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
    triaged: Triage
    answers: list[Answer]
    letters: list[Outgoing]
    outgoing: list[Outgoing]
    records: Mapping[str, ObjectRecord]


def classify_batch(
    service: Service, messages: Sequence[Message], ahead: Mapping[str, ObjectRecord]
) -> Batch:
    """Decode a batch, read its objects' records, and classify; nothing leaves the process.

    Parameters
    ----------
    ahead : mapping of str to ObjectRecord
        What the store will be told of the batch before.
    """
    started = time.perf_counter()

    def read(names: Sequence[str]) -> list[ObjectRecord]:
        stored = zip(names, service.store.read(names), strict=True)
        return [record.merge(ahead[name]) if name in ahead else record for name, record in stored]

    arrivals, failures, records = receive(messages, service.rules, read)
    triaged = triage(arrivals, records, service.bundles)
    answers, results = classify_tasks(service, triaged.tasks, records)
    letters = dead_letters(failures, service.dead_letter_topic)
    return Batch(
        messages=messages,
        started=started,
        triaged=triaged,
        answers=answers,
        letters=letters,
        outgoing=[*results, *letters],
        records=records_of(triaged, arrivals, answers),
    )


def classify_tasks(
    service: Service, tasks: Sequence[Task], records: Mapping[str, ObjectRecord]
) -> tuple[list[Answer], list[Outgoing]]:
    """Classify a batch and write its messages, all tasks of one bundle at once.

    Returns
    -------
    answers : list of (Task, Classification or None)
        None where the light curve has no point that the bundle takes.
    results : list of Outgoing
        The answers, and those taken back for want of usable points.
    """
    answers: list[Answer] = []
    results: list[Outgoing] = []
    for survey, of_survey in by_survey(tasks, lambda task: task.arrival.alert.survey).items():
        bundle, curves = service.bundles[survey], [task.curve for task in of_survey]
        states = [records[task.arrival.alert.key].encoder_state for task in of_survey]
        classified = list(zip(of_survey, classify(curves, bundle, states), strict=True))
        answers += classified
        told = [pair for pair in classified if pair[1] is not None or pair[0].is_revision]
        results += outgoing(told, bundle, service.output_topic, time.time())
    return answers, results


def records_of(
    triaged: Triage, arrivals: Sequence[Arrival], answers: Iterable[Answer]
) -> dict[str, ObjectRecord]:
    """Return the records to store: merged light curves, and which alerts are answered.

    An alert declined for want of a bundle is not: once there is one, a replay answers it.
    """
    excluded = {id(arrival) for arrival, _ in triaged.declined} | set(map(id, triaged.withdrawn))
    alerts: dict[str, list[tuple[int, float, bool]]] = {name: [] for name in triaged.merged}
    for arrival in arrivals:
        alert = arrival.alert
        if alert.decline != NO_BUNDLE:
            alerts[alert.key].append((alert.alert_id, alert.mjd, id(arrival) in excluded))
    encoder_states = newest_encoder_states(answers)
    histories = {name: -math.inf for name in triaged.merged}
    for alert in [arrival.alert for arrival in arrivals if arrival.has_history]:
        histories[alert.key] = max(alert.mjd, histories[alert.key])
    return {
        name: ObjectRecord(
            curve, answered(alerts[name]), encoder_states.get(name, b""), histories[name]
        )
        for name, curve in triaged.merged.items()
    }


def newest_encoder_states(answers: Iterable[Answer]) -> dict[str, bytes]:
    """Return what the classifier wants to keep of each object: after its newest detection."""
    newest: dict[str, tuple[float, bytes]] = {}
    for task, answer in answers:
        if answer is not None:
            name, state = task.arrival.alert.key, (task.mjd, answer.encoder_state)
            newest[name] = max(newest.get(name, state), state)
    return {name: encoder_state for name, (_, encoder_state) in newest.items()}
