"""The objects that a batch put into the store and that the store did not know."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from broker_classifier.light_curve import Kind
from broker_classifier.service.triage import Arrival
from broker_classifier.store import ObjectRecord
from broker_classifier.store.record import NO_ORIGIN


class BegunObjects(NamedTuple):
    """How many objects were begun with their alert, and how many with a history of detections.

    Of the second kind are those that a store has lost, and those that were detected before the
    service ran.
    """

    with_alert: int
    with_history: int


def begun_objects(
    arrivals: Iterable[Arrival],
    records: Mapping[str, ObjectRecord],
    expected: Mapping[str, int],
) -> BegunObjects:
    """Count the objects that were begun.

    Parameters
    ----------
    arrivals, records, expected
        Of a batch as it was stored; see `Batch`.
    """
    begun = [key for key in records if not expected[key] and not _is_older(records[key])]
    if not begun:
        return BegunObjects(0, 0)
    first_mjd: dict[str, float] = {}
    for arrival in arrivals:
        key, mjd = arrival.alert.key, arrival.alert.mjd
        first_mjd[key] = min(mjd, first_mjd.get(key, mjd))
    with_history = sum(_has_earlier_detection(records[key], first_mjd[key]) for key in begun)
    return BegunObjects(len(begun) - with_history, with_history)


def _is_older(record: ObjectRecord) -> bool:
    """Tell whether the record was kept before there were versions, and origins."""
    return bool(np.any(record.answered["origin"] == NO_ORIGIN))


def _has_earlier_detection(record: ObjectRecord, mjd: float) -> bool:
    curve = record.curve
    return bool(np.any((curve.kind == Kind.DETECTION) & (curve.mjd < mjd)))
