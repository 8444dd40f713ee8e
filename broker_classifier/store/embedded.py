"""A store in a folder on local disk (LMDB): no server, and what was flushed is on disk."""

import fcntl
from collections.abc import Callable, Mapping, Sequence
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
MOST_MAP_BYTES = 1 << 40  # to read: addresses only, so that the file may grow meanwhile
LOCK_FILE = "in-use"
FORMAT_FILE, FORMAT = "format", "5"  # of `packing.pack`, all times in UTC
READABLE_FORMATS = ("4", FORMAT)


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
            msg = f"another service has the light-curve store {folder}: set store.path to another"
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
        records = _unpacked(self._folder, object_ids, packed)
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


def read_beside(folder: Path, object_ids: Sequence[str]) -> list[ObjectRecord]:
    """Read records from a store that a service of another process may have open.

    Raises
    ------
    ConfigError
        There is no store in the folder, or it cannot be read.
    """
    try:
        _refuse_other_formats(folder)
        with lmdb.open(str(folder), MOST_MAP_BYTES, readonly=True, create=False, lock=False) as env:
            packed = [_undisturbed(env, object_id.encode()) for object_id in object_ids]
    except (OSError, lmdb.Error) as error:
        msg = f"no light-curve store can be read in {folder}: {error}; set store.path to its folder"
        raise ConfigError(msg) from error
    return [record or UNKNOWN for record in _unpacked(folder, object_ids, packed)]


def _seen_at(head: bytes, otherwise: float) -> float:
    return seen_at(head) if head else otherwise


def _undisturbed(env: lmdb.Environment, key: bytes) -> bytes | None:
    """Read a value in a snapshot of which the other process has not yet used a page again.

    Without LMDB's lock it does so in its third transaction after the snapshot.
    """
    while True:
        with env.begin(buffers=True) as snapshot:
            last_harmless = snapshot.id() + 1
            try:
                found = snapshot.get(key)
            except lmdb.Error:
                if _newest(env) <= last_harmless:
                    raise
                continue
            if _newest(env) <= last_harmless:  # only then is its size what it says
                copied = None if found is None else bytes(found)
                if _newest(env) <= last_harmless:
                    return copied


def _newest(env: lmdb.Environment) -> int:
    return int(env.info()["last_txnid"])


def _unpacked(
    folder: Path, object_ids: Sequence[str], packed: Sequence[bytes | None]
) -> list[ObjectRecord | None]:
    """Unpack what is there; None for what is not."""
    there = [i for i, one in enumerate(packed) if one is not None]
    known: list[ObjectRecord | None] = [None] * len(packed)
    for i, record in zip(there, unpack([packed[i] or b"" for i in there]), strict=True):
        if record is None:
            msg = (
                f"the light-curve store {folder} is damaged at {object_ids[i]}; "
                "restore the folder from a copy, or remove it and start anew"
            )
            raise StoreUnavailableError(msg)
        known[i] = record
    return known


def _check_format(folder: Path) -> None:
    """Refuse a folder that cannot be read; mark that this version writes to it."""
    _refuse_other_formats(folder)
    (folder / FORMAT_FILE).write_text(FORMAT)


def _refuse_other_formats(folder: Path) -> None:
    marked = folder / FORMAT_FILE
    if (folder / "data.mdb").exists():
        found = marked.read_text() if marked.exists() else "1"
        if found not in READABLE_FORMATS:
            msg = (
                f"the light-curve store {folder} has format {found}, this version reads "
                f"{' and '.join(READABLE_FORMATS)}; set store.path to a new folder and replay the "
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
