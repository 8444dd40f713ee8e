"""A store for many workers: a Valkey or Redis server, or a cluster of them, one value an object."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from valkey import Valkey
from valkey.backoff import NoBackoff
from valkey.cluster import ValkeyCluster
from valkey.exceptions import AuthenticationError, ResponseError, ValkeyError
from valkey.retry import Retry

from broker_classifier.config.secrets import without_password
from broker_classifier.errors import ConfigError, StoreRestartedError, StoreUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.store.packing import pack, unpack
from broker_classifier.store.port import Pruned
from broker_classifier.store.record import UNKNOWN, ObjectRecord

KEY_PREFIX = "light-curve-5:"  # 5: the first format of `packing` on a server
FLUSH_KEY = "light-curve-flush"
NAMES_AT_ONCE = 1000  # which the server looks for in one go
CONNECT_TIMEOUT_S, TIMEOUT_S, FLUSH_TIMEOUT_S = 5.0, 10.0, 5.0

# For each key: its value, expected version (8 bytes, or none for no object) and how long to keep it
# (ms by the server's clock, or 0 for ever). Returns the numbers of the keys that have another
# version.
PUT = """
local conflicts = {}
for i, key in ipairs(KEYS) do
  local value, expected, kept_ms = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  if redis.call('GETRANGE', key, 33, 40) ~= expected then
    conflicts[#conflicts + 1] = i
  elseif kept_ms == '0' then
    redis.call('SET', key, value)
  else
    local before = redis.call('PTTL', key)
    redis.call('SET', key, value, 'PX', kept_ms)
    if before > redis.call('PTTL', key) then redis.call('PEXPIRE', key, before) end
  end
end
return conflicts
"""

NO_ADDRESS = "its address is none; in a password / : @ are %2F %3A %40, or set store.password"

log = get_logger()
Result = TypeVar("Result")


class ValkeyStore:
    """`LightCurveStore` on a server, or a cluster, that many workers share.

    What is read or put at once takes one round trip (of a cluster, one to each server). The version
    is compared on the server, in the script that writes. Objects expire by themselves. One thread
    at a time may use it: the server knows by the connection what `flush` has to wait for.

    Parameters
    ----------
    url : str
        valkey://user:password@host:port/database, or redis://; valkeys:// and rediss:// use TLS.
    retention_s : float
        How long an object is kept after it was seen; infinity keeps it.
    password : str
        Where the URL has none.
    client : mapping, optional
        Further settings of the client, such as ssl_ca_certs.
    may_forget : bool
        Take a server that does not write to disk, too.

    Raises
    ------
    ConfigError
        If the server cannot be reached, refuses the password, or does not write to disk.
    """

    def __init__(
        self,
        url: str,
        retention_s: float = math.inf,
        *,
        password: str = "",
        client: Mapping[str, Any] | None = None,
        may_forget: bool = False,
    ) -> None:
        self.address = address_of(url)
        self._retention_s, self._may_forget = retention_s, may_forget
        self._n_connections = 0
        self._client: Any = None  # the client's own types are those of two worlds
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "socket_timeout": TIMEOUT_S,
        }
        options |= {"password": password} if password else {}
        try:
            self._connect(url, options | dict(client or {}))
        except ValueError as error:
            # What is said of an address may quote a part of its password.
            reason = NO_ADDRESS if "@" in url else _safe(error)
            msg = f"the store {self.address} cannot be opened: {reason}; see [store]"
            raise ConfigError(msg) from None
        except (AuthenticationError, TypeError) as error:
            msg = f"the store {self.address} refuses its settings: {_safe(error)}; see [store]"
            raise ConfigError(msg) from None
        except (ValkeyError, OSError) as error:
            msg = f"the store {self.address} cannot be reached: {_safe(error)}; correct store.path"
            raise ConfigError(msg) from None

    def _connect(self, url: str, options: dict[str, Any]) -> None:
        self._client = Valkey.from_url(
            url, valkey_connect_func=self._note_connection, retry=Retry(NoBackoff(), 0), **options
        )
        info = self._client.info()
        self._is_cluster = bool(info.get("cluster_enabled"))
        if self._is_cluster:
            self._client.close()
            cluster: Any = ValkeyCluster
            options["valkey_connect_func"] = self._count_connection
            self._client = cluster.from_url(url, **options)
        self._runs = self._run_ids()
        self._connections_of_put: int | None = None
        self._check_disk(info)

    def _note_connection(self, connection: Any) -> None:
        connection.on_connect()
        self._count_connection(connection)

    def _count_connection(self, _: Any) -> None:
        self._n_connections += 1

    def _check_disk(self, info: Mapping[str, Any]) -> None:
        self._has_disk = bool(info.get("aof_enabled"))
        version = str(info.get("valkey_version") or info.get("redis_version") or "0")
        is_valkey = "valkey_version" in info
        major, minor = (int(part) for part in f"{version}.0".split(".")[:2])
        self._can_wait = self._has_disk and (is_valkey or (major, minor) >= (7, 2))
        if not self._has_disk and not self._may_forget:
            msg = (
                f"the store {self.address} has no append-only file, so a crash would lose light "
                "curves; start it with --appendonly yes --appendfsync always, or set "
                "store.may_forget"
            )
            raise ConfigError(msg)
        if self._has_disk and not self._can_wait:
            log.warning("the store cannot say what is on its disk", address=self.address)

    def read(self, object_ids: Sequence[str]) -> list[ObjectRecord]:
        """Return the records of these objects, in this order; `UNKNOWN` for one never seen."""
        if not object_ids:
            return []
        keys = [KEY_PREFIX + object_id for object_id in object_ids]
        packed = self._asked(lambda: self._values(keys))
        places = [i for i, value in enumerate(packed) if value is not None]
        records = [UNKNOWN] * len(packed)
        for i, record in zip(places, unpack([packed[i] or b"" for i in places]), strict=True):
            if record is None:
                msg = f"the store {self.address} is damaged at {object_ids[i]}; delete {keys[i]}"
                raise StoreUnavailableError(msg)
            records[i] = record
        return records

    def _values(self, keys: list[str]) -> list[bytes | None]:
        read = self._client.mget_nonatomic if self._is_cluster else self._client.mget
        values: list[bytes | None] = read(keys)
        return values

    def put(
        self, records: Mapping[str, ObjectRecord], expected: Mapping[str, int], seen_at: float
    ) -> set[str]:
        """Put records in the place of those with the expected versions; return the conflicts."""
        if not records:
            return set()
        names, kept_ms = list(records), self._kept_ms(seen_at)
        values = pack(list(records.values()), [seen_at] * len(records))
        versions = [
            expected[name].to_bytes(8, "little") if expected[name] else b"" for name in names
        ]
        rows = list(zip(values, versions, [kept_ms] * len(names), strict=True))
        if self._connections_of_put is None:
            self._connections_of_put = self._n_connections
        keys = [KEY_PREFIX + name for name in names]
        return {names[i] for i in self._asked(lambda: self._conflicts(keys, rows))}

    def _kept_ms(self, seen_at: float) -> str:
        """Return for how long the server is to keep what was seen then, by whatever clock we have.

        A worker's clock may be an hour behind the server's, so the server gets no moment of it.
        """
        if not math.isfinite(self._retention_s):
            return "0"
        age_s = max(0.0, time.time() - seen_at)
        return str(max(1, int((self._retention_s - age_s) * 1000)))

    def _conflicts(
        self, keys: Sequence[str], rows: Sequence[tuple[bytes, bytes, str]]
    ) -> list[int]:
        if not self._is_cluster:
            arguments = [value for row in rows for value in row]
            conflicts = self._client.eval(PUT, len(keys), *keys, *arguments)
            return [number - 1 for number in conflicts]
        with self._client.pipeline() as pipeline:
            for key, row in zip(keys, rows, strict=True):
                pipeline.execute_command("EVAL", PUT, 1, key, *row)
            return [i for i, conflicts in enumerate(pipeline.execute()) if conflicts]

    def flush(self) -> None:
        """Return when all that was put is on the server's disk, as far as it can say so.

        Raises
        ------
        StoreRestartedError
            If the server crashed after a `put`, which it may have lost.
        """
        if self._connections_of_put is None:
            return
        if self._connections_of_put != self._n_connections:
            self._make_sure_of_the_same_run()
        if self._can_wait:
            self._asked(self._wait_for_disk)
        if self._connections_of_put != self._n_connections:
            return self.flush()
        self._connections_of_put = None

    def _make_sure_of_the_same_run(self) -> None:
        """After a new connection: the same server has what was put, another may not."""
        runs, before = self._asked(self._run_ids), self._runs
        if runs != before or self._is_cluster:
            self._runs, self._connections_of_put = runs, None
            msg = f"the store {self.address} was started anew"
            raise StoreRestartedError(msg)
        # The server waits for what this connection wrote, so it has to write something.
        self._asked(lambda: self._client.set(FLUSH_KEY, b"", px=1))
        self._connections_of_put = self._n_connections

    def _wait_for_disk(self) -> None:
        timeout_ms = int(FLUSH_TIMEOUT_S * 1000)
        if self._is_cluster:
            nodes = ValkeyCluster.PRIMARIES
            answers = self._client.execute_command(
                "WAITAOF", 1, 0, timeout_ms, target_nodes=nodes
            ).values()
        else:
            answers = [self._client.execute_command("WAITAOF", 1, 0, timeout_ms)]
        if any(local < 1 for local, _ in answers):
            msg = f"the store {self.address} has not written to its disk in {FLUSH_TIMEOUT_S:.0f} s"
            raise StoreUnavailableError(msg)

    def _run_ids(self) -> set[str]:
        if self._is_cluster:
            infos = self._client.info("server", target_nodes=ValkeyCluster.PRIMARIES).values()
        else:
            infos = [self._client.info("server")]
        return {info["run_id"] for info in infos}

    def names(self) -> Iterator[str]:
        """Yield the ids of all objects; one may come twice, if keys come and go meanwhile."""
        keys = self._client.scan_iter(match=f"{KEY_PREFIX}*", count=NAMES_AT_ONCE)
        while (key := self._asked(lambda: next(keys, None))) is not None:
            yield key.decode().removeprefix(KEY_PREFIX)

    def prune(self, seen_before: float, most: int) -> Pruned:
        """Do nothing: objects expire on the server, when their retention time is over."""
        return Pruned(0, is_end=True)

    def __len__(self) -> int:
        """Return the number of keys in the database, which is to be this store's own."""
        where = {"target_nodes": ValkeyCluster.PRIMARIES} if self._is_cluster else {}
        return int(self._asked(lambda: self._client.dbsize(**where)))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, question: Callable[[], Result]) -> Result:
        try:
            return question()
        except (ValkeyError, OSError) as error:
            does = "refuses" if isinstance(error, ResponseError) else "does not answer"
            msg = (
                f"the light-curve store {self.address} {does}: {_safe(error)}; "
                "the service goes on by itself when it does"
            )
            raise StoreUnavailableError(msg) from error


def address_of(url: str) -> str:
    """Name a server without its password.

    >>> address_of("valkeys://worker:secret@store.example:6379/2")
    'store.example:6379/2'
    """
    return without_password(url).partition("://")[2].partition("?")[0]


def _safe(error: Exception) -> str:
    """Return the first line of what an error says."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
