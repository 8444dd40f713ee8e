"""A store in a folder on local disk (LMDB): no server, and a merge that returned is on disk."""

import fcntl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import lmdb

from broker_classifier.errors import ConfigError, StoreUnavailableError
from broker_classifier.store.packed_loops import HEAD_BYTES
from broker_classifier.store.packing import pack, seen_at, unpack
from broker_classifier.store.port import Pruned
from broker_classifier.store.record import UNKNOWN, ObjectRecord

FIRST_MAP_BYTES = 1 << 28
LOCK_FILE = "in-use"
FORMAT_FILE, FORMAT = "format", "3"  # of `packing.pack`


class EmbeddedStore:
    """`LightCurveStore` in an LMDB environment.

    A merge is one synchronous transaction, so it survives a crash of the process and of the
    machine. The map, LMDB's bound on the file's size, doubles whenever it is full. The folder is
    locked: two services on it would each answer without the other's points.

    Parameters
    ----------
    folder : Path
        Created when missing.

    Raises
    ------
    ConfigError
        If the folder cannot be opened as a store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _check_format(folder)
            self._walked_to = b""
            self._lock = _locked(folder / LOCK_FILE)
            self._env = lmdb.open(str(folder), map_size=FIRST_MAP_BYTES)
        except BlockingIOError as error:
            msg = f"another service has the light-curve store {folder}; give each a folder"
            raise ConfigError(msg) from error
        except (OSError, lmdb.Error) as error:
            msg = (
                f"the light-curve store {folder} cannot be opened: {error}; "
                "set store.path to a folder that this user may write"
            )
            raise ConfigError(msg) from error

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""
        known = self._unpacked(object_ids, self._when_available(self._read, object_ids))
        return [UNKNOWN if one is None else one for one in known]

    def _unpacked(
        self, object_ids: Sequence[str], packed: Sequence[bytes | None]
    ) -> list[ObjectRecord | None]:
        """Unpack what is there; None for what is not."""
        there = [i for i, one in enumerate(packed) if one is not None]
        known: list[ObjectRecord | None] = [None] * len(packed)
        for i, record in zip(there, unpack([packed[i] or b"" for i in there]), strict=True):
            if record is None:
                msg = (
                    f"the light-curve store {self._folder} is damaged at {object_ids[i]}; "
                    "restore the folder from a copy, or remove it and start anew"
                )
                raise StoreUnavailableError(msg)
            known[i] = record
        return known

    def _read(self, object_ids: Sequence[str]) -> list[bytes | None]:
        with self._env.begin() as transaction:
            return [transaction.get(object_id.encode()) for object_id in object_ids]

    def merge(self, records: Mapping[str, ObjectRecord], seen_at: float) -> None:
        """Unite these records with what is stored, all of them or none."""
        self._when_available(self._merge, records, seen_at)

    def _merge(self, records: Mapping[str, ObjectRecord], at: float) -> None:
        with self._env.begin(write=True) as transaction:
            names = list(records)
            packed = [transaction.get(name.encode()) for name in names]
            known = self._unpacked(names, packed)
            merged = [
                new if old is None else old.merge(new)
                for old, new in zip(known, records.values(), strict=True)
            ]
            seen = [at if one is None else max(at, seen_at(one)) for one in packed]
            for name, value in zip(names, pack(merged, seen), strict=True):
                transaction.put(name.encode(), value)

    def prune(self, seen_before: float, most: int) -> Pruned:
        """Look at the next objects by name; forget those last seen before this moment (Unix s)."""
        stale, self._walked_to = self._when_available(self._stale, seen_before, most)
        if stale:
            self._when_available(self._delete, stale)
        return Pruned(len(stale), is_end=not self._walked_to)

    def _stale(self, seen_before: float, most: int) -> tuple[list[bytes], bytes]:
        """Return the keys of stale objects, and where to go on: at b"" behind the last object."""
        stale: list[bytes] = []
        with self._env.begin(buffers=True) as transaction:
            cursor = transaction.cursor()
            if not cursor.set_range(self._walked_to):
                return stale, b""
            for _ in range(most):
                packed = bytes(cursor.value()[:HEAD_BYTES])
                if len(packed) == HEAD_BYTES and seen_at(packed) < seen_before:
                    stale.append(bytes(cursor.key()))
                if not cursor.next():
                    return stale, b""
            return stale, bytes(cursor.key())

    def _delete(self, keys: Sequence[bytes]) -> None:
        with self._env.begin(write=True) as transaction:
            for key in keys:
                transaction.delete(key)

    def __len__(self) -> int:
        return int(self._when_available(self._env.stat)["entries"])

    def close(self) -> None:
        """Close the environment and free the folder."""
        self._env.close()
        self._lock.close()

    def _when_available(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        """Run one operation; double the map when it is full."""
        while True:
            try:
                return operation(*arguments)
            except lmdb.MapFullError:
                self._env.set_mapsize(2 * self._env.info()["map_size"])
            except lmdb.Error as error:
                msg = (
                    f"the light-curve store {self._folder} failed: {error}; "
                    "free its disk or repair it, the service goes on by itself"
                )
                raise StoreUnavailableError(msg) from error


def _check_format(folder: Path) -> None:
    """Refuse a folder that another version wrote; mark a new one."""
    marked = folder / FORMAT_FILE
    if (folder / "data.mdb").exists():
        found = marked.read_text() if marked.exists() else "1"
        if found != FORMAT:
            msg = (
                f"the light-curve store {folder} has format {found}, this version writes {FORMAT}; "
                "set store.path to a new folder and replay the alerts"
            )
            raise ConfigError(msg)
    marked.write_text(FORMAT)


def _locked(path: Path) -> BinaryIO:
    """Open a file and lock it as long as it is open; BlockingIOError if it is locked already."""
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
