"""A store in a folder on local disk (LMDB): no server, and what was flushed is on disk."""

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import lmdb

from broker_classifier.errors import ConfigError, StoreUnavailableError
from broker_classifier.store.packed_loops import HEAD_BYTES
from broker_classifier.store.packing import pack, seen_at, unpack, version_of
from broker_classifier.store.port import Pruned
from broker_classifier.store.record import UNKNOWN, ObjectRecord

FIRST_MAP_BYTES = 1 << 28
LOCK_FILE = "in-use"
FORMAT_FILE, FORMAT = "format", "6"  # of `packing.pack`, all times in UTC
READABLE_FORMATS = ("4", "5", FORMAT)


class EmbeddedStore:
    """`LightCurveStore` in an LMDB environment.

    A `put` is one synchronous transaction: after `flush` it survives a crash of the process and of
    the machine. A thread waits for the disk meanwhile, so LMDB's own lock, which belongs to one
    thread, is off; the folder is locked instead: two services on it would each answer without the
    other's points. The map, LMDB's bound on the file's size, doubles whenever it is full.

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
            self._env = lmdb.open(str(folder), map_size=FIRST_MAP_BYTES, lock=False)
            self._committer = ThreadPoolExecutor(1, "commit")
            self._commit: Future[None] | None = None
            self._unsafe: dict[str, bytes] = {}
        except BlockingIOError as error:
            msg = (
                f"another process has the light-curve store {folder}, and a store in a folder is "
                "for one: stop that process first, give each a folder, or set store.path to a "
                "server that many share, such as valkey://localhost:6379/0"
            )
            raise ConfigError(msg) from error
        except (OSError, lmdb.Error) as error:
            msg = (
                f"the light-curve store {folder} cannot be opened: {error}; "
                "set store.path to a folder that this user may write"
            )
            raise ConfigError(msg) from error

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""
        packed = self._when_available(self._read, object_ids)
        records = unpacked(self._folder, object_ids, packed)
        return [UNKNOWN if record is None else record for record in records]

    def _read(self, object_ids: Sequence[str]) -> list[bytes | None]:
        unsafe = self._unsafe
        with self._env.begin() as transaction:
            return [unsafe.get(name) or transaction.get(name.encode()) for name in object_ids]

    def put(
        self, records: Mapping[str, ObjectRecord], expected: Mapping[str, int], seen_at: float
    ) -> set[str]:
        """Begin to put records in the place of those with the expected versions, all or none."""
        self.flush()
        heads = self._when_available(self._heads, list(records))
        versions = {name: version_of(head) if head else 0 for name, head in heads.items()}
        conflicts = {name for name in records if versions[name] != expected[name]}
        standing = [name for name in records if name not in conflicts]
        seen = [max(seen_at, _seen_at(heads[name], seen_at)) for name in standing]
        packed = pack([records[name] for name in standing], seen)
        if standing:
            self._when_available(self._begin_write, dict(zip(standing, packed, strict=True)))
        return conflicts

    def _heads(self, object_ids: Sequence[str]) -> dict[str, bytes]:
        with self._env.begin(buffers=True) as transaction:
            values = ((name, transaction.get(name.encode())) for name in object_ids)
            return {name: b"" if v is None else bytes(v[:HEAD_BYTES]) for name, v in values}

    def flush(self) -> None:
        """Return when the last `put` is on disk."""
        if self._unsafe:
            self._when_available(self._end_write)

    def _begin_write(self, packed: dict[str, bytes]) -> None:
        transaction = self._env.begin(write=True)
        try:
            for name, value in packed.items():
                transaction.put(name.encode(), value)
        except BaseException:
            transaction.abort()
            raise
        self._unsafe, self._commit = packed, self._committer.submit(transaction.commit)

    def _end_write(self) -> None:
        if self._commit is None:  # it failed, and nothing of it is on disk
            self._begin_write(self._unsafe)
        commit, self._commit = self._commit, None
        if commit:
            commit.result()
        self._unsafe = {}

    def names(self) -> Iterator[str]:
        """Yield the ids of all objects, ascending."""
        self.flush()
        key = self._when_available(self._key_after, b"")
        while key is not None:
            yield key.decode()
            key = self._when_available(self._key_after, key)

    def _key_after(self, key: bytes) -> bytes | None:
        with self._env.begin(buffers=True) as transaction:
            after = key_after(transaction, key)
            return None if after is None else bytes(after)

    def prune(self, seen_before: float, most: int) -> Pruned:
        """Look at the next objects by name; forget those last seen before this moment (Unix s)."""
        self.flush()
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
        self.flush()
        return int(self._when_available(self._env.stat)["entries"])

    def close(self) -> None:
        """Close the environment and free the folder."""
        try:
            self.flush()
        finally:
            self._unsafe = {}
            self._committer.shutdown()
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


def key_after(transaction: lmdb.Transaction, key: bytes) -> bytes | memoryview | None:
    """Find the first key above another one, b"" for the first of all; None where there is none."""
    cursor = transaction.cursor()
    return cursor.key() if cursor.set_range(key + b"\0") else None


def _seen_at(head: bytes, otherwise: float) -> float:
    return seen_at(head) if head else otherwise


def unpacked(
    folder: Path, object_ids: Sequence[str], packed: Sequence[bytes | None]
) -> list[ObjectRecord | None]:
    """Unpack the records that are there; None for the others.

    Raises
    ------
    StoreUnavailableError
        One is damaged.
    """
    there = [i for i, value in enumerate(packed) if value is not None]
    records: list[ObjectRecord | None] = [None] * len(packed)
    for i, record in zip(there, unpack([packed[i] or b"" for i in there]), strict=True):
        if record is None:
            msg = (
                f"the light-curve store {folder} is damaged at {object_ids[i]}; "
                "restore the folder from a copy, or remove it and start anew"
            )
            raise StoreUnavailableError(msg)
        records[i] = record
    return records


def _check_format(folder: Path) -> None:
    """Refuse a folder that cannot be read; mark that this version writes to it."""
    refuse_other_formats(folder)
    (folder / FORMAT_FILE).write_text(FORMAT)


def refuse_other_formats(folder: Path) -> None:
    """Raise a ConfigError if the folder has a store that this version cannot read."""
    marked = folder / FORMAT_FILE
    if (folder / "data.mdb").exists():
        kept_as = marked.read_text() if marked.exists() else "1"
        if kept_as not in READABLE_FORMATS:
            msg = (
                f"the light-curve store {folder} has format {kept_as}, this version reads "
                f"{', '.join(READABLE_FORMATS)}; set store.path to a new folder and replay the "
                "alerts"
            )
            raise ConfigError(msg)


def _locked(path: Path) -> BinaryIO:
    """Open a file and lock it as long as it is open; BlockingIOError if it is locked already."""
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
