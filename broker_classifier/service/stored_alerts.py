"""The alerts of stored objects that have an answer, as tasks to answer again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from broker_classifier.light_curve import Kind, LightCurve
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.classify import classify
from broker_classifier.service.triage import Answer, Arrival, Task
from broker_classifier.store import ObjectRecord
from broker_classifier.streams.message import Message
from broker_classifier.surveys.alert import Alert


@dataclass(frozen=True)
class AskedAlerts:
    """Which alerts of an object are answered again.

    Attributes
    ----------
    is_newest_only : bool
    at_mjd : float or None
        The newest alert by then, with all points up to then; None for alerts as they were.
    """

    is_newest_only: bool = False
    at_mjd: float | None = None


def tasks_of(key: str, record: ObjectRecord, asked: AskedAlerts) -> list[Task]:
    """Make a task of every alert asked for that has an answer, in the order of their times.

    Parameters
    ----------
    key : str
        Of the object, as `Alert.key`.
    record : ObjectRecord
    asked : AskedAlerts
    """
    survey, _, object_id = key.partition(":")
    rows = record.answered[~record.answered["is_final"]]
    if asked.at_mjd is not None:
        rows = rows[rows["mjd"] <= asked.at_mjd]
    mjd_of = dict(rows[["alert_id", "mjd"]].tolist())
    alerts = sorted(mjd_of.items(), key=lambda alert: (alert[1], alert[0]))
    if asked.is_newest_only or asked.at_mjd is not None:
        alerts = alerts[-1:]
    message = Message(b"", "store", 0, 0, None, survey)
    tasks = []
    for alert_id, mjd in alerts:
        curve = record.curve.until(mjd if asked.at_mjd is None else asked.at_mjd)
        alert = Alert(survey, object_id, alert_id, mjd, curve)
        tasks.append(Task(Arrival(message, alert), alert_id, mjd, curve, (), is_revision=True))
    return tasks


def answered_again(
    objects: Iterable[Sequence[Task]], bundle: Bundle, at_mjd: float | None
) -> list[Answer]:
    """Classify the alerts of objects, all first ones at once, then all second ones.

    So each alert of an object takes up the steps that were made for the one before it.

    Parameters
    ----------
    objects : iterable of sequence of Task
        Of each object, in the order of their times.
    bundle : Bundle
    at_mjd : float or None
        As `classify` takes it.
    """
    answers: list[Answer] = []
    states: dict[str, bytes] = {}
    for tasks in _rounds(objects):
        keys = [task.arrival.alert.key for task in tasks]
        before = [states.get(key, b"") for key in keys]
        classified = classify([task.curve for task in tasks], bundle, before, at_mjd)
        answers += zip(tasks, classified, strict=True)
        states = {
            key: answer.encoder_state
            for key, answer in zip(keys, classified, strict=True)
            if answer is not None
        }
    return answers


def _rounds(objects: Iterable[Sequence[Task]]) -> Iterator[list[Task]]:
    left = [tasks for tasks in objects if tasks]
    number = 0
    while left:
        yield [tasks[number] for tasks in left]
        number += 1
        left = [tasks for tasks in left if len(tasks) > number]


def last_detection_mjd(curve: LightCurve) -> float:
    """Return the time of the newest detection that stands, MJD; -inf where there is none.

    >>> from broker_classifier.light_curve import light_curve
    >>> last_detection_mjd(light_curve([60000.0, 60002.0], 100.0, 10.0, "gg"))
    60002.0
    """
    is_standing = (curve.kind == Kind.DETECTION) & ~curve.is_withdrawn
    return float(curve.mjd[is_standing].max(initial=float("-inf")))
