"""A store in a folder, read beside the process that writes it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import lmdb

from broker_classifier.errors import ConfigError
from broker_classifier.store.embedded import key_after, refuse_other_formats, unpacked
from broker_classifier.store.record import UNKNOWN, ObjectRecord

MOST_MAP_BYTES = 1 << 40  # addresses only, so that the file may grow meanwhile

Look = Callable[[lmdb.Transaction], bytes | memoryview | None]


class StoreBeside:
    """`StoreReader` of an `EmbeddedStore` that another process may have open.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ConfigError
        There is no store in the folder, or it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            refuse_other_formats(folder)
            self._env = lmdb.open(
                str(folder), MOST_MAP_BYTES, readonly=True, create=False, lock=False
            )
        except (OSError, lmdb.Error) as error:
            raise self._unreadable(error) from error

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""
        packed = [self._seen(_value_of(object_id.encode())) for object_id in object_ids]
        return [record or UNKNOWN for record in unpacked(self._folder, object_ids, packed)]

    def names(self) -> Iterator[str]:
        """Yield the ids of all objects, ascending."""
        key = self._seen(_key_after(b""))
        while key is not None:
            yield key.decode()
            key = self._seen(_key_after(key))

    def __len__(self) -> int:
        return int(self._env.stat()["entries"])

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _seen(self, look: Look) -> bytes | None:
        try:
            return _undisturbed(self._env, look)
        except lmdb.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"no light-curve store can be read in {self._folder}: {error}; set store.path to its "
            "folder"
        )


def _value_of(key: bytes) -> Look:
    return lambda snapshot: snapshot.get(key)


def _key_after(key: bytes) -> Look:
    return lambda snapshot: key_after(snapshot, key)


def _undisturbed(env: lmdb.Environment, look: Look) -> bytes | None:
    """Copy what a snapshot has, if the other process has not yet used a page of it again.

    Without LMDB's lock it does so in its third transaction after the snapshot.
    """
    while True:
        with env.begin(buffers=True) as snapshot:
            last_harmless = snapshot.id() + 1
            try:
                seen = look(snapshot)
            except lmdb.Error:
                if _newest(env) <= last_harmless:
                    raise
                continue
            if _newest(env) <= last_harmless:  # only then is its size what it says
                copied = None if seen is None else bytes(seen)
                if _newest(env) <= last_harmless:
                    return copied


def _newest(env: lmdb.Environment) -> int:
    return int(env.info()["last_txnid"])
