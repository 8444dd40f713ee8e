"""What is known of one object."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import INT64, UINT32, cached_for, records_of
from broker_classifier.light_curve import EMPTY, LightCurve

ANSWERED = np.dtype([("alert_id", "<i8"), ("mjd", "<f8"), ("is_final", "?"), ("origin", "<u4")])
NO_ORIGIN = 0  # of an alert that was answered before origins were kept
NO_BUNDLE_NAMED = 0  # in the place of a bundle's `state_key`, where a state was kept before them

AnsweredAlert = tuple[int, float, bool, int]
"""Alert id, MJD of its detection, whether its answer is final, origin of its message."""


class Standing(IntEnum):
    """What a record says of an alert that a message brings."""

    NEW = 0  # it has no outcome yet
    DUPLICATE = 1  # another message brought it
    AGAIN = 2  # the same message brought it, so its answer may never have been published
    AGAIN_FINAL = 3  # the same, and no late point can change the outcome


def answered(alerts: Iterable[AnsweredAlert]) -> NDArray[np.void]:
    """Collect answered alerts, sorted by id; each pair of id and origin once."""
    return _united(np.array(list(alerts), dtype=ANSWERED))


@dataclass(frozen=True, eq=False)
class ObjectRecord:
    """The light curve of an object, and the alerts of it that have an outcome.

    Attributes
    ----------
    curve : LightCurve
    answered : structured array of dtype `ANSWERED`, shape (n,)
        Sorted by `alert_id`. An answer that is final no late point can change: the alert was
        declined by its survey's rules, or withdrawn. `origin` is that of the message that brought
        the alert. Another message with the same alert is a duplicate; where it had points that
        were new, it has a final row of its own.
    encoder_states : mapping of int to bytes
        By `Bundle.state_key`: what each bundle keeps to save itself work
        (`classify.Classification.encoder_state`). They are no facts, so records that differ in them
        alone are equal.
    history_mjd : float
        MJD of the newest alert whose history was read; -inf before one was.
    version : int
        It rises each time the object is put into the store; 0 before.
    """

    curve: LightCurve
    answered: NDArray[np.void]
    encoder_states: Mapping[int, bytes] = field(default_factory=dict)
    history_mjd: float = -math.inf
    version: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectRecord) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[bytes, bytes, float, int]:
        return self.curve.to_bytes(), self.answered.tobytes(), self.history_mjd, self.version

    @property
    def is_known(self) -> bool:
        """Whether the store has the object; one kept before versions were has version 0."""
        return bool(self.version or len(self.curve) or len(self.answered))

    def standing(self, alert_id: int, origin: int) -> Standing:
        """Say whether an alert has an outcome already, and because of which message."""
        return STANDINGS[_standing(self.answered, alert_id, origin)]

    def is_answered(self, alert_id: int) -> bool:
        """Say whether an answer was given for an alert, and not only an outcome without one."""
        rows = self.answered[self.answered["alert_id"] == alert_id]
        return not rows["is_final"].all()

    def encoder_state(self, state_key: int) -> bytes:
        """Return what a bundle keeps, or what may be its own; empty for nothing."""
        states = self.encoder_states
        return states.get(state_key) or states.get(NO_BUNDLE_NAMED, b"")

    def followed_by(
        self,
        curve: LightCurve,
        alerts: Iterable[AnsweredAlert],
        encoder_states: Mapping[int, bytes],
        history_mjd: float,
        now_s: float,
    ) -> "ObjectRecord":
        """Return the record that takes this one's place.

        Its version is the time in ms, but always above this one's. So it goes on rising after a
        store was lost, or the clock set back.

        Parameters
        ----------
        curve : LightCurve
            All points.
        alerts : iterable of AnsweredAlert
            Those to add.
        encoder_states : mapping of int to bytes
            Empty to keep the old ones.
        history_mjd : float
            Of the newest history read with it.
        now_s : float
            Unix time, s.
        """
        new = np.array(list(alerts), dtype=ANSWERED)
        both = np.frombuffer(self.answered.tobytes() + new.tobytes(), dtype=ANSWERED)
        return ObjectRecord(
            curve,
            _united(both) if len(new) else self.answered,
            encoder_states or self.encoder_states,
            max(self.history_mjd, history_mjd),
            max(self.version + 1, int(now_s * 1000)),
        )


_ALERTS = records_of(ANSWERED, readonly=True)
STANDINGS = tuple(Standing)  # a tuple's item is found in less time than an enumeration's


@cached_for(INT64(_ALERTS, INT64, UINT32))
def _standing(alerts: NDArray[np.void], alert_id: int, origin: int) -> int:
    standing = 0
    for i in range(len(alerts) - 1, -1, -1):  # most often it is above all others
        if alerts[i].alert_id < alert_id:
            break
        if alerts[i].alert_id == alert_id:
            standing = max(standing, 1)
            if alerts[i].origin == origin:
                standing = 3 if alerts[i].is_final else 2
    return standing


@cached_for(records_of(ANSWERED)(_ALERTS))
def _united(alerts: NDArray[np.void]) -> NDArray[np.void]:
    """Sort alerts by id, first come first; of the same id and origin keep one that is not final."""
    united, n = np.empty(len(alerts), dtype=alerts.dtype), 0
    for alert in alerts:
        place = n
        while place and united[place - 1].alert_id > alert.alert_id:
            place -= 1
        at = place
        is_new = True
        while is_new and at and united[at - 1].alert_id == alert.alert_id:
            at -= 1
            is_new = united[at].origin != alert.origin
            if not is_new and not alert.is_final:
                united[at] = alert
        if is_new:
            for i in range(n, place, -1):
                united[i] = united[i - 1]
            united[place] = alert
            n += 1
    return united[:n]


UNKNOWN = ObjectRecord(EMPTY, np.empty(0, dtype=ANSWERED))
