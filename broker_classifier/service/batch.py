"""One batch, decoded, sorted out, classified, and put into the store; nothing is published yet."""

import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from broker_classifier.model.classify import classify
from broker_classifier.service.declines import Decline, decline_messages, declines
from broker_classifier.service.publish import outgoing
from broker_classifier.service.receive import by_survey, dead_letters, receive
from broker_classifier.service.street import Service
from broker_classifier.service.triage import Answer, Arrival, Task, Triage, triage
from broker_classifier.store import ObjectRecord
from broker_classifier.streams.message import Message, Outgoing


@dataclass(frozen=True)
class Batch:
    """A classified batch: what to store, to publish and to count.

    Attributes
    ----------
    messages : sequence of Message
    started : float
        When work on it began (`time.perf_counter`, s).
    arrivals : list of Arrival
        What could be decoded.
    triaged : Triage
    answers : list of (Task, Classification or None)
    letters : list of Outgoing
        Dead letters.
    records : mapping of str to ObjectRecord
        By object, what takes the place of its record.
    expected : mapping of str to int
        By object, the version of the record that it was worked out from.
    """

    messages: Sequence[Message]
    started: float
    arrivals: list[Arrival]
    triaged: Triage
    answers: list[Answer]
    letters: list[Outgoing]
    records: Mapping[str, ObjectRecord]
    expected: Mapping[str, int]

    def declines(self, service: Service) -> list[Decline]:
        """Return the declined alerts with their reasons."""
        return declines(self.triaged.declined, self.answers, service.bundles)

    def messages_of(self, objects: Collection[str]) -> list[Message]:
        """Return the messages that brought alerts of these objects."""
        return [arrival.message for arrival in self.arrivals if arrival.alert.key in objects]

    def with_again(self, objects: Collection[str], again: "Batch") -> "Batch":
        """Return the batch with these objects as they were worked out again."""
        return Batch(
            messages=self.messages,
            started=self.started,
            arrivals=[one for one in self.arrivals if one.alert.key not in objects]
            + again.arrivals,
            triaged=self.triaged.without(objects).joined(again.triaged),
            answers=[pair for pair in self.answers if pair[0].arrival.alert.key not in objects]
            + again.answers,
            letters=self.letters + again.letters,
            records={**self.records, **again.records},
            expected={**self.expected, **again.expected},
        )


def classify_batch(service: Service, messages: Sequence[Message]) -> Batch:
    """Decode a batch, read its objects' records, and classify; nothing leaves the process."""
    started = time.perf_counter()
    arrivals, failures, records = receive(messages, service.rules, service.store.read)
    triaged = triage(arrivals, records, service.bundles)
    answers = classify_tasks(service, triaged.tasks, records)
    return Batch(
        messages=messages,
        started=started,
        arrivals=arrivals,
        triaged=triaged,
        answers=answers,
        letters=dead_letters(failures, service.dead_letter_topic),
        records=next_records(triaged, arrivals, answers, records),
        expected={name: records[name].version for name in triaged.merged},
    )


def stored(service: Service, batch: Batch) -> Batch:
    """Put a batch's records into the store, and return the batch as it stands there.

    Objects that another worker has put there meanwhile are worked out again, from what is there
    now. So every answer rests on all points that were put before it.
    """
    conflicts = service.store.put(batch.records, batch.expected, time.time())
    if not conflicts:
        return batch
    service.metrics.count_conflicts(len(conflicts))
    again = classify_batch(service, batch.messages_of(conflicts))
    return batch.with_again(conflicts, stored(service, again))


def classify_tasks(
    service: Service, tasks: Sequence[Task], records: Mapping[str, ObjectRecord]
) -> list[Answer]:
    """Classify a batch, all tasks of one bundle at once."""
    answers: list[Answer] = []
    for survey, of_survey in by_survey(tasks, lambda task: task.arrival.alert.survey).items():
        bundle, curves = service.bundles[survey], [task.curve for task in of_survey]
        states = [records[task.arrival.alert.key].encoder_state for task in of_survey]
        answers += zip(of_survey, classify(curves, bundle, states), strict=True)
    return answers


def published(service: Service, batch: Batch) -> list[Outgoing]:
    """Write the messages of a stored batch: results, dead letters, and declined alerts if wanted.

    The results are the answers, and those taken back for want of usable points.
    """
    results: list[Outgoing] = []
    told = [pair for pair in batch.answers if pair[1] is not None or pair[0].is_revision]
    for survey, of_survey in by_survey(told, lambda pair: pair[0].arrival.alert.survey).items():
        versions = [batch.records[task.arrival.alert.key].version for task, _ in of_survey]
        results += outgoing(
            of_survey, service.bundles[survey], service.output_topic, versions, time.time()
        )
    topic = service.declined_topic
    told_why = decline_messages(batch.declines(service), topic) if topic else []
    return [*results, *batch.letters, *told_why]


def next_records(
    triaged: Triage,
    arrivals: Sequence[Arrival],
    answers: Iterable[Answer],
    records: Mapping[str, ObjectRecord],
) -> dict[str, ObjectRecord]:
    """Return what takes the place of the records of the batch's objects."""
    now_s, encoder_states = time.time(), newest_encoder_states(answers)
    histories = dict.fromkeys(triaged.merged, -math.inf)
    for alert in [arrival.alert for arrival in arrivals if arrival.has_history]:
        histories[alert.key] = max(alert.mjd, histories[alert.key])
    return {
        name: records[name].followed_by(
            curve,
            triaged.answered.get(name, ()),
            encoder_states.get(name, b""),
            histories[name],
            now_s,
        )
        for name, curve in triaged.merged.items()
        if len(curve) or name in triaged.answered
    }


def newest_encoder_states(answers: Iterable[Answer]) -> dict[str, bytes]:
    """Return what the classifier wants to keep of each object: after its newest detection."""
    newest: dict[str, tuple[float, bytes]] = {}
    for task, answer in answers:
        if answer is not None:
            name, state = task.arrival.alert.key, (task.mjd, answer.encoder_state)
            newest[name] = max(newest.get(name, state), state)
    return {name: encoder_state for name, (_, encoder_state) in newest.items()}
