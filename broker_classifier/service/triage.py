"""What a batch of alerts means for the stored light curves: merged curves, and what to classify.

An alert's classification is a function of its object's points up to its own detection. So a late
point can change answers already given; those alerts are classified again, as revisions.

A message that comes again was not committed, so nobody knows whether what followed from it was
published. Its alert is answered again, and so is every later alert that its points may have
revised: the store has the points already, so nothing would look new.

An alert that was declined, and is not any more because a rule is off now, is answered when any
message brings it again.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from broker_classifier.light_curve import LightCurve
from broker_classifier.model.classify import Classification
from broker_classifier.service.point_changes import first_difference, is_withdrawn, uses_others
from broker_classifier.service.served_bundles import Served, ServedBundle
from broker_classifier.store import AnsweredAlert, ObjectRecord, Standing
from broker_classifier.streams.message import Message
from broker_classifier.surveys.alert import SOLAR_SYSTEM, Alert

NO_BUNDLE = "no_bundle"
NOT_NOTED = (NO_BUNDLE, SOLAR_SYSTEM)  # what is declined so has no points that could revise


class Outcome(StrEnum):
    """What became of a received alert; each has exactly one."""

    CLASSIFIED = "classified"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"
    DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True)
class Arrival:
    """An alert with the message that brought it, and whether its history was read with it."""

    message: Message
    alert: Alert
    has_history: bool = False


@dataclass(frozen=True)
class Task:
    """One classification to make: an object's curve as it was known at one of its alerts.

    Attributes
    ----------
    arrival : Arrival
        The alert's own; for a revision, the late one that caused it.
    alert_id, mjd
        Of the alert that is classified.
    bundles : sequence of ServedBundle
        Those that are asked: of a new alert all of its survey, of a revision those whose answers
        late points may have changed.
    is_revision : bool
        An answer for this alert was given before, from fewer or other points.
    """

    arrival: Arrival
    alert_id: int
    mjd: float
    curve: LightCurve
    bundles: Sequence[ServedBundle]
    is_revision: bool = False


Answer = tuple[Task, Classification | None]
"""A task, and what a bundle says; None where it takes no point of the light curve."""


@dataclass(frozen=True)
class Triage:
    """A batch, sorted out.

    Attributes
    ----------
    merged : dict of str to LightCurve
        Every object of the batch (`Alert.key`) with all its points.
    tasks : list of Task
        Alerts in order of arrival, then revisions.
    declined : list of (Arrival, str)
        Alerts that their survey's rules exclude, with the reason.
    duplicates : list of Arrival
        Alerts that another message brought, before or earlier in the batch.
    withdrawn : list of Arrival
        Alerts whose own detection the survey has taken back.
    answered : dict of str to list of AnsweredAlert
        What every object's record has to note.
    """

    merged: dict[str, LightCurve]
    tasks: list[Task] = field(default_factory=list)
    declined: list[tuple[Arrival, str]] = field(default_factory=list)
    duplicates: list[Arrival] = field(default_factory=list)
    withdrawn: list[Arrival] = field(default_factory=list)
    answered: dict[str, list[AnsweredAlert]] = field(default_factory=dict)

    def without(self, objects: Collection[str]) -> "Triage":
        """Leave objects out."""
        return Triage(
            {name: curve for name, curve in self.merged.items() if name not in objects},
            [task for task in self.tasks if task.arrival.alert.key not in objects],
            [pair for pair in self.declined if pair[0].alert.key not in objects],
            [arrival for arrival in self.duplicates if arrival.alert.key not in objects],
            [arrival for arrival in self.withdrawn if arrival.alert.key not in objects],
            {name: rows for name, rows in self.answered.items() if name not in objects},
        )

    def joined(self, other: "Triage") -> "Triage":
        """Put two batches without an object in common together."""
        return Triage(
            {**self.merged, **other.merged},
            self.tasks + other.tasks,
            self.declined + other.declined,
            self.duplicates + other.duplicates,
            self.withdrawn + other.withdrawn,
            {**self.answered, **other.answered},
        )

    def note(self, arrival: Arrival, *, is_final: bool) -> None:
        """Note that a message brought an alert that has an outcome now."""
        alert = arrival.alert
        row = (alert.alert_id, alert.mjd, is_final, arrival.message.origin_digest)
        self.answered.setdefault(alert.key, []).append(row)


def triage(
    arrivals: Sequence[Arrival],
    records: Mapping[str, ObjectRecord],
    bundles: Served,
) -> Triage:
    """Merge a batch into the stored light curves, and find what must be classified.

    Parameters
    ----------
    arrivals : sequence of Arrival
    records : mapping of str to ObjectRecord
        The record of every object in the batch, as stored.
    bundles : mapping of str to sequence of ServedBundle
        The bundles of every survey that has some.
    """
    triaged = Triage(_merge(arrivals, records))
    first: dict[tuple[str, int], Arrival] = {}
    repeated_from: dict[str, float] = {}
    for arrival in arrivals:
        alert, record = arrival.alert, records[arrival.alert.key]
        standing = record.standing(alert.alert_id, arrival.message.origin_digest)
        if standing >= Standing.AGAIN:
            earliest = min(alert.mjd, *alert.curve.mjd[:1].tolist())
            repeated_from[alert.key] = min(earliest, repeated_from.get(alert.key, math.inf))
        if _was_declined(arrival, standing, record, triaged):
            standing = Standing.NEW
        before = arrival
        if standing in (Standing.NEW, Standing.AGAIN):
            before = first.setdefault((alert.key, alert.alert_id), arrival)
        if standing is Standing.DUPLICATE or before is not arrival:
            _sort_duplicate(arrival, before, record, triaged)
        else:
            _sort(arrival, standing, bundles.get(alert.survey, ()), triaged)
    answered_now = {(task.arrival.alert.key, task.alert_id) for task in triaged.tasks}
    for arrival in _last_of_each_object(arrivals):
        name = arrival.alert.key
        if of_survey := bundles.get(arrival.alert.survey):
            since, curve = repeated_from.get(name, math.inf), triaged.merged[name]
            triaged.tasks.extend(
                _revisions(arrival, records[name], curve, of_survey, since, answered_now)
            )
    return triaged


def _was_declined(
    arrival: Arrival, standing: Standing, record: ObjectRecord, triaged: Triage
) -> bool:
    """Say whether an alert was never answered, and can be now."""
    alert = arrival.alert
    if alert.decline or standing not in (Standing.DUPLICATE, Standing.AGAIN_FINAL):
        return False
    is_taken_back = is_withdrawn(triaged.merged[alert.key].points, alert.mjd)
    return not is_taken_back and not record.is_answered(alert.alert_id)


def _sort(
    arrival: Arrival, standing: Standing, bundles: Sequence[ServedBundle], triaged: Triage
) -> None:
    """Find the outcome of an alert that no other message brought."""
    alert = arrival.alert
    curve = triaged.merged[alert.key].until(alert.mjd)
    is_taken_back = not alert.decline and is_withdrawn(curve.points, alert.mjd)
    if alert.decline:
        triaged.declined.append((arrival, alert.decline))
    elif is_taken_back:
        triaged.withdrawn.append(arrival)
    elif standing is Standing.AGAIN_FINAL:
        triaged.duplicates.append(arrival)
    else:
        triaged.tasks.append(Task(arrival, alert.alert_id, alert.mjd, curve, bundles))
    if standing is Standing.NEW and alert.decline not in NOT_NOTED:
        triaged.note(arrival, is_final=bool(alert.decline or is_taken_back))


def _sort_duplicate(
    arrival: Arrival, before: Arrival, record: ObjectRecord, triaged: Triage
) -> None:
    """Note a duplicate if its points are new, so that it revises again when it comes again."""
    triaged.duplicates.append(arrival)
    curve = record.curve if before is arrival else record.curve.merge(before.alert.curve)
    is_news = first_difference(curve.points, curve.merge(arrival.alert.curve).points) < math.inf
    if is_news and arrival.alert.decline not in NOT_NOTED:
        triaged.note(arrival, is_final=True)


def _merge(
    arrivals: Iterable[Arrival], records: Mapping[str, ObjectRecord]
) -> dict[str, LightCurve]:
    curves: dict[str, list[LightCurve]] = {}
    for arrival in arrivals:
        curves.setdefault(arrival.alert.key, []).append(arrival.alert.curve)
    return {name: records[name].curve.merge(*curves[name]) for name in curves}


def _last_of_each_object(arrivals: Iterable[Arrival]) -> Iterable[Arrival]:
    return {arrival.alert.key: arrival for arrival in arrivals}.values()


def _revisions(
    cause: Arrival,
    record: ObjectRecord,
    curve: LightCurve,
    bundles: Sequence[ServedBundle],
    repeated_from: float,
    answered_now: set[tuple[str, int]],
) -> Iterable[Task]:
    if not len(record.answered):
        return
    changed_at = min(repeated_from, first_difference(record.curve.points, curve.points))
    revisable = (record.answered["mjd"] >= changed_at) & ~record.answered["is_final"]
    for alert_id, mjd, *_ in record.answered[revisable].tolist():
        if (cause.alert.key, alert_id) in answered_now:
            continue
        before, now = record.curve.until(mjd), curve.until(mjd)
        asked = [
            served
            for served in bundles
            if mjd >= repeated_from or uses_others(served.bundle.selection, before, now)
        ]
        if asked:
            yield Task(cause, alert_id, mjd, now, asked, is_revision=True)
