"""The port of every light-curve store; `tests/store/test_contract.py` is its contract."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from broker_classifier.store.record import ObjectRecord


class Pruned(NamedTuple):
    """How many objects were forgotten, and whether that was the end of one walk through all."""

    n_forgotten: int
    is_end: bool


class LightCurveStore(Protocol):
    """Object records by object id.

    `merge` unites what it is given with what is there, so that repeats and any order of arrival
    lead to the same state. One `merge` is atomic: a crash leaves all of it or nothing; once `flush`
    has returned, all of it. All methods raise `StoreUnavailableError` when the store does not
    answer.
    """

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""

    def merge(self, records: Mapping[str, ObjectRecord], seen_at: float) -> None:
        """Begin to unite these records with what is stored; the objects were seen then (Unix s).

        `read` gives them from now on.
        """

    def flush(self) -> None:
        """Return when all that was merged would survive a crash."""

    def prune(self, seen_before: float, most: int) -> Pruned:
        """Look at some objects more, at most so many; forget those last seen before (Unix s)."""

    def __len__(self) -> int:
        """Return the number of objects."""

    def close(self) -> None:
        """Release what the store holds; it may be called twice."""
