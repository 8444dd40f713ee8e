"""The port of every light-curve store; `tests/store/test_contract.py` is its contract."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from broker_classifier.store.record import ObjectRecord


class Pruned(NamedTuple):
    """How many objects were forgotten, and whether that was the end of one walk through all."""

    n_forgotten: int
    is_end: bool


class StoreReader(Protocol):
    """What a store shows to those that only read. Methods raise as those of `LightCurveStore`."""

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""

    def names(self) -> Iterator[str]:
        """Yield the ids of all objects; one may come twice.

        Objects that are put or forgotten meanwhile may be left out.
        """

    def __len__(self) -> int:
        """Return the number of objects."""

    def close(self) -> None:
        """Release what the store holds; it may be called twice."""


class LightCurveStore(StoreReader, Protocol):
    """Object records by object id, each with its version.

    Workers agree on one order of the states of an object: each reads a record, works out the next
    one, and puts it in its place only if nobody was faster. All methods raise
    `StoreUnavailableError` when the store does not answer. A `put` that raises may have written
    any of its records; who tries again finds them as conflicts, and works them out again.
    """

    def put(
        self, records: Mapping[str, ObjectRecord], expected: Mapping[str, int], seen_at: float
    ) -> set[str]:
        """Put records in the place of those with the expected versions; others keep theirs.

        `read` gives them from now on.

        Parameters
        ----------
        records : mapping of str to ObjectRecord
        expected : mapping of str to int
            By object, the version that was read.
        seen_at : float
            When the objects were seen, Unix s. An object never gets older.

        Returns
        -------
        set of str
            The conflicts: objects whose version is another one now, which are left as they are.
        """

    def flush(self) -> None:
        """Return when all that was put would survive a crash."""

    def prune(self, seen_before: float, most: int) -> Pruned:
        """Look at some objects more, at most so many; forget those last seen before (Unix s)."""
