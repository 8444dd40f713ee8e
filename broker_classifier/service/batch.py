"""One batch, decoded, sorted out, classified, and put into the store; nothing is published yet."""

import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from broker_classifier.model.classify import classify
from broker_classifier.service.declines import decline_messages, declines
from broker_classifier.service.publish import outgoing
from broker_classifier.service.receive import dead_letters, receive
from broker_classifier.service.served_bundles import ServedBundle
from broker_classifier.service.street import Service
from broker_classifier.service.triage import Answer, Arrival, Task, Triage, triage
from broker_classifier.store import ObjectRecord
from broker_classifier.streams.message import Message, Outgoing

Answers = Mapping[ServedBundle, Sequence[Answer]]
"""What each bundle says."""


class NewTasks(NamedTuple):
    """The tasks of new alerts: those that a bundle answered, and those that none could."""

    answered: list[Task]
    unanswered: list[Task]


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
    answers : mapping of ServedBundle to sequence of (Task, Classification or None)
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
    answers: Answers
    letters: list[Outgoing]
    records: Mapping[str, ObjectRecord]
    expected: Mapping[str, int]

    @cached_property
    def new_tasks(self) -> NewTasks:
        """The tasks of new alerts, each once, however many bundles were asked."""
        new = [task for task in self.triaged.tasks if not task.is_revision]
        has_answer: set[int] = set()
        for of_bundle in self.answers.values():
            has_answer.update([id(task) for task, answer in of_bundle if answer is not None])
        return NewTasks(
            [task for task in new if id(task) in has_answer],
            [task for task in new if id(task) not in has_answer],
        )

    def messages_of(self, objects: Collection[str]) -> list[Message]:
        """Return the messages that brought alerts of these objects."""
        return [arrival.message for arrival in self.arrivals if arrival.alert.key in objects]

    def with_again(self, objects: Collection[str], again: "Batch") -> "Batch":
        """Return the batch with these objects as they were worked out again."""
        return Batch(
            messages=self.messages,
            started=self.started,
            arrivals=[a for a in self.arrivals if a.alert.key not in objects] + again.arrivals,
            triaged=self.triaged.without(objects).joined(again.triaged),
            answers=_joined(_without(self.answers, objects), again.answers),
            letters=self.letters + again.letters,
            records={**self.records, **again.records},
            expected={**self.expected, **again.expected},
        )


def classify_batch(service: Service, messages: Sequence[Message]) -> Batch:
    """Decode a batch, read its objects' records, and classify; nothing leaves the process."""
    started = time.perf_counter()
    arrivals, failures, records = receive(messages, service.rules, service.store.read)
    triaged = triage(arrivals, records, service.bundles)
    answers = classify_tasks(triaged.tasks, records)
    return Batch(
        messages=messages,
        started=started,
        arrivals=arrivals,
        triaged=triaged,
        answers=answers,
        letters=dead_letters(failures, service.dead_letter_topic),
        records=next_records(triaged, arrivals, answers, records, service.state_keys),
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


def classify_tasks(tasks: Sequence[Task], records: Mapping[str, ObjectRecord]) -> Answers:
    """Classify a batch, all tasks of one bundle at once."""
    asked: dict[ServedBundle, list[Task]] = {}
    for task in tasks:
        for served in task.bundles:
            asked.setdefault(served, []).append(task)
    answers = {}
    for served, of_bundle in asked.items():
        curves, key = [task.curve for task in of_bundle], served.bundle.state_key
        states = [records[task.arrival.alert.key].encoder_state(key) for task in of_bundle]
        answers[served] = list(zip(of_bundle, classify(curves, served.bundle, states), strict=True))
    return answers


def _without(answers: Answers, objects: Collection[str]) -> Answers:
    return {
        served: [pair for pair in of_bundle if pair[0].arrival.alert.key not in objects]
        for served, of_bundle in answers.items()
    }


def _joined(answers: Answers, others: Answers) -> Answers:
    return {
        served: [*answers.get(served, ()), *others.get(served, ())]
        for served in dict.fromkeys([*answers, *others])
    }


def published(service: Service, batch: Batch) -> list[Outgoing]:
    """Write the messages of a stored batch: results, dead letters, and declined alerts if wanted.

    The results are the answers, and those taken back for want of usable points.
    """
    results: list[Outgoing] = []
    for served, of_bundle in batch.answers.items():
        answers = [pair for pair in of_bundle if pair[1] is not None or pair[0].is_revision]
        if answers:
            versions = [batch.records[task.arrival.alert.key].version for task, _ in answers]
            results += outgoing(answers, served.bundle, served.topic, versions, time.time())
    if service.declined_topic:
        reasons = declines(batch.triaged.declined, batch.new_tasks.unanswered)
        return [*results, *batch.letters, *decline_messages(reasons, service.declined_topic)]
    return [*results, *batch.letters]


def next_records(
    triaged: Triage,
    arrivals: Sequence[Arrival],
    answers: Answers,
    records: Mapping[str, ObjectRecord],
    state_keys: Collection[int],
) -> dict[str, ObjectRecord]:
    """Return what takes the place of the records of the batch's objects.

    Encoder states of bundles that are served no more, whose keys are not among these, are left out.
    """
    now_s, encoder_states = time.time(), kept_encoder_states(answers, records, state_keys)
    histories = dict.fromkeys(triaged.merged, -math.inf)
    for alert in [arrival.alert for arrival in arrivals if arrival.has_history]:
        histories[alert.key] = max(alert.mjd, histories[alert.key])
    return {
        name: records[name].followed_by(
            curve,
            triaged.answered.get(name, ()),
            encoder_states.get(name, {}),
            histories[name],
            now_s,
        )
        for name, curve in triaged.merged.items()
        if len(curve) or name in triaged.answered
    }


def kept_encoder_states(
    answers: Answers, records: Mapping[str, ObjectRecord], state_keys: Collection[int]
) -> dict[str, dict[int, bytes]]:
    """Return what the bundles keep of each object that they answered, after its newest alert."""
    kept: dict[str, dict[int, bytes]] = {}
    for served, of_bundle in answers.items():
        key = served.bundle.state_key
        for name, state in _newest_states(of_bundle).items():
            if name not in kept:
                before = records[name].encoder_states
                kept[name] = {k: before[k] for k in before if k in state_keys}
            kept[name][key] = state
    return kept


def _newest_states(answers: Iterable[Answer]) -> dict[str, bytes]:
    newest: dict[str, tuple[float, bytes]] = {}
    for task, answer in answers:
        if answer is not None and answer.encoder_state:
            name, state = task.arrival.alert.key, (task.mjd, answer.encoder_state)
            newest[name] = max(newest.get(name, state), state)
    return {name: encoder_state for name, (_, encoder_state) in newest.items()}
