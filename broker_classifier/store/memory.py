"""A store that lives as long as its process: for tests, and for `classify` over files."""

from collections.abc import Iterator, Mapping, Sequence

from broker_classifier.store.port import Pruned
from broker_classifier.store.record import UNKNOWN, ObjectRecord


class MemoryStore:
    """`LightCurveStore` in a dictionary."""

    def __init__(self) -> None:
        self._records: dict[str, ObjectRecord] = {}
        self._seen_at: dict[str, float] = {}

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""
        return [self._records.get(object_id, UNKNOWN) for object_id in object_ids]

    def put(
        self, records: Mapping[str, ObjectRecord], expected: Mapping[str, int], seen_at: float
    ) -> set[str]:
        """Put records in the place of those with the expected versions; return the conflicts."""
        before = {name: self._records.get(name, UNKNOWN) for name in records}
        conflicts = {name for name in records if before[name].version != expected[name]}
        for name in records.keys() - conflicts:
            self._records[name] = records[name]
            self._seen_at[name] = max(seen_at, self._seen_at.get(name, seen_at))
        return conflicts

    def names(self) -> Iterator[str]:
        """Yield the ids of all objects."""
        yield from list(self._records)

    def flush(self) -> None:
        """Do nothing: nothing survives the process."""

    def prune(self, seen_before: float, most: int) -> Pruned:
        """Forget all objects last seen before this moment (Unix s)."""
        stale = [object_id for object_id, at in self._seen_at.items() if at < seen_before]
        for object_id in stale:
            del self._records[object_id], self._seen_at[object_id]
        return Pruned(len(stale), is_end=True)

    def __len__(self) -> int:
        return len(self._records)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
