"""What is known of one object."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import cached_for, records_of
from broker_classifier.light_curve import EMPTY, LightCurve

ANSWERED = np.dtype([("alert_id", "<i8"), ("mjd", "<f8"), ("is_final", "?")])


def answered(alerts: Iterable[tuple[int, float, bool]]) -> NDArray[np.void]:
    """Collect (alert id, MJD of its detection, whether the answer is final); each id once."""
    return _united(np.array(list(alerts), dtype=ANSWERED))


@dataclass(frozen=True, eq=False)
class ObjectRecord:
    """The light curve of an object, and the alerts of it whose outcome has been published.

    Attributes
    ----------
    curve : LightCurve
    answered : structured array of dtype `ANSWERED`, shape (n,)
        Sorted by `alert_id`. An answer that is final no late point can change: the alert was
        declined by its survey's rules, or withdrawn.
    encoder_state : bytes
        What the classifier keeps to save itself work (`classify.Classification.encoder_state`). The
        newest is kept; it is no fact, so records that differ in it alone are equal.
    history_mjd : float
        MJD of the newest alert whose history was read; -inf before one was.
    """

    curve: LightCurve
    answered: NDArray[np.void]
    encoder_state: bytes = b""
    history_mjd: float = -math.inf

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectRecord) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[bytes, bytes, float]:
        return self.curve.to_bytes(), self.answered.tobytes(), self.history_mjd

    def merge(self, newer: "ObjectRecord") -> "ObjectRecord":
        """Unite two records of one object: idempotent, and the same in any order."""
        both = np.frombuffer(self.answered.tobytes() + newer.answered.tobytes(), dtype=ANSWERED)
        encoder_state = newer.encoder_state or self.encoder_state
        history_mjd = max(self.history_mjd, newer.history_mjd)
        return ObjectRecord(
            self.curve.merge(newer.curve), _united(both), encoder_state, history_mjd
        )


@cached_for(records_of(ANSWERED)(records_of(ANSWERED, readonly=True)))
def _united(alerts: NDArray[np.void]) -> NDArray[np.void]:
    """Sort alerts by id, each id once: of several the earliest, of those the final one."""
    ids = np.empty(len(alerts), dtype=np.int64)
    for i in range(len(alerts)):
        ids[i] = alerts[i].alert_id
    united, n = np.empty(len(alerts), dtype=alerts.dtype), 0
    for i in np.argsort(ids):
        new = alerts[i]
        if n == 0 or united[n - 1].alert_id != new.alert_id:
            united[n] = new
            n += 1
            continue
        known = united[n - 1]
        is_as_early = new.mjd == known.mjd and new.is_final
        if new.mjd < known.mjd or is_as_early:
            united[n - 1] = new
    return united[:n]


UNKNOWN = ObjectRecord(EMPTY, np.empty(0, dtype=ANSWERED))
