"""One batch worked out: decoded, sorted out and classified; nothing leaves the process."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from broker_classifier.model.bundle import Bundle
from broker_classifier.model.classify import Classification, classify
from broker_classifier.service.publish import outgoing
from broker_classifier.service.receive import NO_BUNDLE, dead_letters, receive
from broker_classifier.service.street import Service
from broker_classifier.service.triage import Arrival, Task, Triage, triage, used_points
from broker_classifier.store import ObjectRecord, answered
from broker_classifier.streams.message import Message, Outgoing

Answer = tuple[Task, Classification | None]


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
    triaged: Triage
    answers: list[Answer]
    letters: list[Outgoing]
    outgoing: list[Outgoing]
    records: Mapping[str, ObjectRecord]


def classify_batch(
    service: Service, messages: Sequence[Message], ahead: Mapping[str, ObjectRecord]
) -> Batch:
    """Decode a batch, read what is known, and classify; nothing leaves the process.

    Parameters
    ----------
    ahead : mapping of str to ObjectRecord
        What the store will be told of the batch before.
    """
    started = time.perf_counter()

    def read(names: Sequence[str]) -> list[ObjectRecord]:
        known = zip(names, service.store.read(names), strict=True)
        return [one.merge(ahead[name]) if name in ahead else one for name, one in known]

    arrivals, failed, known = receive(messages, service.rules, read)
    letters = dead_letters(failed, service.dead_letter_topic)
    triaged = triage(arrivals, known, lambda survey: used_points(service.bundles.get(survey)))
    answers = answer(triaged.tasks, service.bundles, known)
    return Batch(
        messages=messages,
        started=started,
        triaged=triaged,
        answers=answers,
        letters=letters,
        outgoing=[*results(service, answers), *letters],
        records=records_of(triaged, arrivals, answers),
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
        encoder_states = [known[task.arrival.alert.key].encoder_state for task in ours]
        classifications = classify([task.curve for task in ours], bundles[survey], encoder_states)
        answers.extend(zip(ours, classifications, strict=True))
    return answers


def results(service: Service, answers: Sequence[Answer]) -> list[Outgoing]:
    """Write the messages of a batch: answers, and those taken back for want of usable points."""
    now = time.time()
    told = [(task, one) for task, one in answers if one is not None or task.is_revision]
    messages: list[Outgoing] = []
    for survey in dict.fromkeys(task.arrival.alert.survey for task, _ in told):
        ours = [answer for answer in told if answer[0].arrival.alert.survey == survey]
        tasks, classifications = zip(*ours, strict=True)
        bundle = service.bundles[survey]
        messages += outgoing(tasks, classifications, bundle, service.output_topic, now)
    return messages


def records_of(
    triaged: Triage, arrivals: Sequence[Arrival], answers: Iterable[Answer]
) -> dict[str, ObjectRecord]:
    """Return what the store must know of a batch: merged curves, and whose alerts are answered.

    Those declined for want of a bundle are not: once there is one, a replay answers them.
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
    found: dict[str, tuple[float, bytes]] = {}
    for task, classification in answers:
        if classification is not None:
            name, newest = task.arrival.alert.key, (task.mjd, classification.encoder_state)
            found[name] = max(found.get(name, newest), newest)
    return {name: encoder_state for name, (_, encoder_state) in found.items()}
