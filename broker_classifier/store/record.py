"""What is known of one object, and its stored form."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import EMPTY, POINT, LightCurve

ANSWERED = np.dtype([("alert_id", "<i8"), ("mjd", "<f8"), ("is_final", "?")])
_HEAD = struct.Struct("<dI")
HEAD_BYTES = _HEAD.size


def answered(alerts: Iterable[tuple[int, float, bool]]) -> NDArray[np.void]:
    """Collect (alert id, MJD of its detection, whether the answer is final); each id once."""
    return _by_id(np.array(list(alerts), dtype=ANSWERED))


@dataclass(frozen=True, eq=False)
class ObjectRecord:
    """The light curve of an object, and the alerts of it whose outcome has been published.

    Attributes
    ----------
    curve : LightCurve
    answered : structured array of dtype `ANSWERED`, shape (n,)
        Sorted by `alert_id`. An answer that is final no late point can change: the alert was
        declined by its survey's rules, or withdrawn.
    """

    curve: LightCurve
    answered: NDArray[np.void]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectRecord) and self.pack(0.0) == other.pack(0.0)

    def __hash__(self) -> int:
        return hash(self.pack(0.0))

    def merge(self, other: "ObjectRecord") -> "ObjectRecord":
        """Unite two records of one object: idempotent, and the same in any order."""
        both = np.concatenate([self.answered, other.answered])
        return ObjectRecord(self.curve.merge(other.curve), _by_id(both))

    def pack(self, seen_at: float) -> bytes:
        """Write the stored form: when last seen (Unix s), the points, the answered alerts."""
        points = self.curve.to_bytes()
        return _HEAD.pack(seen_at, len(self.curve)) + points + self.answered.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> "ObjectRecord":
        """Read what `pack` wrote.

        Raises
        ------
        ValueError
            If the bytes are something else.
        """
        if len(packed) < HEAD_BYTES:
            msg = f"{len(packed)} bytes are no record"
            raise ValueError(msg)
        _, n_points = _HEAD.unpack_from(packed)
        split = _HEAD.size + n_points * POINT.itemsize
        curve = LightCurve.from_bytes(packed[_HEAD.size : split])
        return cls(curve, np.frombuffer(packed[split:], dtype=ANSWERED))


def seen_at(packed: bytes) -> float:
    """Read from a record's first `HEAD_BYTES` when it was last merged into (Unix s)."""
    moment: float = _HEAD.unpack_from(packed)[0]
    return moment


def _by_id(alerts: NDArray[np.void]) -> NDArray[np.void]:
    order = np.lexsort((~alerts["is_final"], alerts["mjd"], alerts["alert_id"]))
    ordered = alerts[order]
    is_first = np.ones(len(ordered), dtype=bool)
    is_first[1:] = ordered["alert_id"][1:] != ordered["alert_id"][:-1]
    return ordered[is_first]


UNKNOWN = ObjectRecord(EMPTY, np.empty(0, dtype=ANSWERED))
