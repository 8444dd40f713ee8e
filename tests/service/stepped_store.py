"""The simulation's store: in memory, with a disk of its own, and answers that fail at any step."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker_classifier.errors import StoreRestartedError, StoreUnavailableError
from broker_classifier.store import ObjectRecord
from broker_classifier.store.port import Pruned


class SteppedStore:
    """A worker's connection to the store of all."""

    def __init__(self, worker: Any, world: Any) -> None:
        self._worker, self._world = worker, world
        self._epoch_of_put: int | None = None

    def _step(self, what: str) -> None:
        self._worker.step(what)
        if self._worker.fails():
            msg = "down"
            raise StoreUnavailableError(msg)

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        self._step("read")
        records: list[ObjectRecord] = self._world.store.read(object_ids)
        return records

    def put(
        self, records: Mapping[str, ObjectRecord], expected: Mapping[str, int], seen_at: float
    ) -> set[str]:
        self._step("put")
        world, conflicts = self._world, set()
        if self._epoch_of_put is None:
            self._epoch_of_put = world.store_epoch
        for name, record in records.items():
            version = world.store.read([name])[0].version
            wanted = expected[name] if world.rules.compare_and_set else version
            conflicts |= world.store.put({name: record}, {name: wanted}, seen_at)
            if self._worker.fails():
                msg = "cut in the middle"
                raise StoreUnavailableError(msg)
        self._step("put is answered")
        return conflicts

    def flush(self) -> None:
        self._step("flush")
        epoch, self._epoch_of_put = self._epoch_of_put, None
        if epoch not in (None, self._world.store_epoch):
            msg = "the store crashed"
            raise StoreRestartedError(msg)
        if self._world.rules.disk:
            self._world.on_disk._records = dict(self._world.store._records)

    def prune(self, seen_before: float, most: int) -> Pruned:
        return Pruned(0, True)

    def __len__(self) -> int:
        return 0

    def close(self) -> None:
        pass
