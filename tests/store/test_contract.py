"""The contract of every `LightCurveStore`: the same tests for all of them."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import lmdb
import pytest

from broker_classifier.errors import ConfigError, StoreUnavailableError
from broker_classifier.light_curve import light_curve
from broker_classifier.store import (
    UNKNOWN,
    EmbeddedStore,
    MemoryStore,
    ObjectRecord,
    answered,
)
from broker_classifier.store.embedded import FIRST_MAP_BYTES
from broker_classifier.store.valkey import ValkeyStore
from tests.stores import read_beside
from tests.valkey_servers import server


@pytest.fixture(scope="module")
def valkey_server(tmp_path_factory):
    with server(tmp_path_factory.mktemp("valkey")) as started:
        yield started


def open_store(kind, request):
    if kind == "valkey":
        started = request.getfixturevalue("valkey_server")
        started.client().flushall()
        return ValkeyStore(started.url)
    folder = request.getfixturevalue("tmp_path") / "store"
    return MemoryStore() if kind == "memory" else EmbeddedStore(folder)


@pytest.fixture(params=["memory", "embedded", "valkey"])
def store(request):
    opened = open_store(request.param, request)
    yield opened
    opened.close()


@pytest.fixture(params=["memory", "embedded"])
def local_store(request):
    """A store that forgets what it is told to; a server does it by itself."""
    opened = open_store(request.param, request)
    yield opened
    opened.close()


def record(*days, alerts=(), version=1, encoder_states=None):
    curve = light_curve(days, 100.0, 10.0, "g")
    rows = answered([(alert_id, mjd, False, 7) for alert_id, mjd in alerts])
    return ObjectRecord(curve, rows, encoder_states or {}, version=version)


def put_new(store, seen_at=0.0, **records):
    """Put objects that are not there yet."""
    assert store.put(records, dict.fromkeys(records, 0), seen_at) == set()


def test_an_object_never_seen_is_unknown(store):
    assert store.read(["nobody"]) == [UNKNOWN]


def test_records_come_back_in_the_order_asked_for(store):
    put_new(store, a=record(1.0), b=record(2.0))
    assert store.read(["b", "nobody", "a"]) == [record(2.0), UNKNOWN, record(1.0)]
    assert len(store) == 2


def test_the_names_of_all_objects_are_given(store):
    names = {f"ztf:object {i}" for i in range(2500)}
    assert list(store.names()) == []
    put_new(store, **dict.fromkeys(names, record(1.0)))
    assert set(store.names()) == names


def test_a_record_takes_the_place_of_the_version_that_was_read(store):
    put_new(store, a=record(1.0, alerts=[(7, 1.0)]))
    states = {7: b"state", 9: b"other"}
    newer = record(1.0, 2.0, alerts=[(5, 2.0), (7, 1.0)], version=9, encoder_states=states)
    assert store.put({"a": newer}, {"a": 1}, seen_at=0.0) == set()
    assert store.read(["a"]) == [newer]
    assert store.read(["a"])[0].encoder_states == states


def test_only_the_records_whose_version_still_stands_are_put(store):
    put_new(store, a=record(1.0, version=3), b=record(1.0, version=4))
    newer = {name: record(2.0, version=10) for name in "abc"}
    assert store.put(newer, {"a": 3, "b": 3, "c": 1}, seen_at=0.0) == {"b", "c"}
    assert store.read("abc") == [newer["a"], record(1.0, version=4), UNKNOWN]
    assert store.put({"c": newer["c"]}, {"c": 0}, seen_at=0.0) == set()
    assert store.put({"c": newer["c"]}, {"c": 0}, seen_at=0.0) == {"c"}


def test_what_was_put_is_read_and_guarded_before_and_after_it_is_on_disk(store):
    put_new(store, a=record(1.0))
    before = store.read(["a", "b"])
    assert store.put({"a": record(2.0)}, {"a": 0}, seen_at=0.0) == {"a"}
    store.flush()
    store.flush()
    assert store.read(["a", "b"]) == before == [record(1.0), UNKNOWN]


def test_64_bit_alert_ids_and_versions_are_exact(store):
    alerts = [(2**63 - 1, 1.0), (2**53 + 1, 1.0)]
    put_new(store, a=record(1.0, alerts=alerts, version=2**53 + 1))
    (kept,) = store.read(["a"])
    assert kept.answered["alert_id"].tolist() == [2**53 + 1, 2**63 - 1]
    assert kept.version == 2**53 + 1


def test_pruning_forgets_just_what_was_not_seen_lately(local_store):
    put_new(local_store, 100.0, old=record(1.0), new=record(1.0))
    assert local_store.put({"new": record(1.0, 2.0)}, {"new": 1}, seen_at=200.0) == set()
    assert local_store.prune(150.0, most=10) == (1, True)
    assert local_store.read(["old", "new"]) == [UNKNOWN, record(1.0, 2.0)]
    assert local_store.prune(150.0, most=10) == (0, True)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_pruning_by_parts_looks_at_every_object(local_store, most):
    names = [f"object {i}" for i in range(7)]
    for i, name in enumerate(names):
        put_new(local_store, 100.0 * (i % 2), **{name: record(1.0)})
    prunings = [local_store.prune(50.0, most)]
    while not prunings[-1].is_end:
        prunings.append(local_store.prune(50.0, most))
    assert sum(item.n_forgotten for item in prunings) == 4
    assert [item == UNKNOWN for item in local_store.read(names)] == [True, False] * 3 + [True]
    assert local_store.prune(500.0, 100) == (3, True)
    assert local_store.prune(500.0, most) == (0, True)


def test_an_object_never_gets_older(local_store):
    put_new(local_store, 200.0, a=record(1.0))
    assert local_store.put({"a": record(2.0)}, {"a": 1}, seen_at=100.0) == set()
    assert local_store.prune(150.0, most=10) == (0, True)


def test_to_put_nothing_and_to_close_twice_is_harmless(store):
    put_new(store)
    store.close()
    store.close()


def test_the_embedded_store_remembers_after_a_restart(tmp_path):
    first = EmbeddedStore(tmp_path)
    put_new(first, a=record(1.0))
    first.close()
    again = EmbeddedStore(tmp_path)
    assert again.read(["a"]) == [record(1.0)]
    again.close()


def test_the_embedded_store_grows_past_its_first_size(tmp_path, monkeypatch):
    monkeypatch.setattr("broker_classifier.store.embedded.FIRST_MAP_BYTES", 1 << 16)
    store = EmbeddedStore(tmp_path)
    many = {f"object{i}": record(*range(50)) for i in range(500)}
    put_new(store, **many)
    assert len(store) == 500
    store.close()


class FailingOnce(ThreadPoolExecutor):
    """The first commit fails."""

    def __init__(self, error):
        super().__init__(1)
        self.errors = [error]

    def submit(self, commit):
        if self.errors:
            transaction = commit.__self__
            transaction.abort()
            return super().submit(raising, self.errors.pop())
        return super().submit(commit)


def raising(error):
    raise error


def test_what_the_disk_refused_is_written_by_the_next_flush(tmp_path):
    store = EmbeddedStore(tmp_path)
    store._committer = FailingOnce(lmdb.DiskError("no space"))
    put_new(store, a=record(1.0))
    with pytest.raises(StoreUnavailableError, match="no space"):
        store.flush()
    assert store.read(["a"]) == [record(1.0)]
    store.flush()
    store.close()
    assert read_beside(tmp_path, ["a"]) == [record(1.0)]


def test_a_map_that_is_full_at_the_commit_grows(tmp_path):
    store = EmbeddedStore(tmp_path)
    store._committer = FailingOnce(lmdb.MapFullError("full"))
    put_new(store, a=record(1.0))
    store.flush()
    assert store._env.info()["map_size"] == 2 * FIRST_MAP_BYTES
    store.close()
    assert read_beside(tmp_path, ["a"]) == [record(1.0)]


CRASHER = """
import os, signal, sys
from pathlib import Path
from broker_classifier.light_curve import light_curve
from broker_classifier.store import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]))
for i in range(10**6):
    curve = light_curve([float(i)], 100.0, 10.0, "g")
    (before,) = store.read([f"{i % 7}"])
    record = before.followed_by(curve, [(i, float(i), False, 1)], {}, 0.0, 0.0)
    store.put({f"{i % 7}": record}, {f"{i % 7}": before.version}, seen_at=0.0)
    store.flush()
    print(i, flush=True)
"""


def test_all_that_was_flushed_survives_a_kill(tmp_path):
    command = [sys.executable, "-c", CRASHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        last = 0
        while last < 20:
            last = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        last = max([last, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
    store = EmbeddedStore(tmp_path)
    kept = {int(i) for r in store.read([str(n) for n in range(7)]) for i in r.answered["alert_id"]}
    store.close()
    assert set(range(last + 1)) <= kept <= set(range(last + 2))


def test_a_store_that_cannot_be_opened_says_which_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file.*store\.path"):
        EmbeddedStore(tmp_path / "file")


def test_a_folder_belongs_to_one_service_at_a_time(tmp_path):
    first = EmbeddedStore(tmp_path)
    with pytest.raises(ConfigError, match=r"another process has .* stop that process first"):
        EmbeddedStore(tmp_path)
    first.close()
    EmbeddedStore(tmp_path).close()


def test_a_damaged_record_is_named_and_waited_for(tmp_path):
    store = EmbeddedStore(tmp_path)
    put_new(store, good=record(1.0))
    store.flush()
    with store._env.begin(write=True) as transaction:
        transaction.put(b"bad", b"short")
    with pytest.raises(StoreUnavailableError, match="damaged at bad"):
        store.read(["good", "bad"])
    assert store.prune(1.0, most=10) == (1, True)
    store.close()


def test_a_store_of_another_format_is_refused(tmp_path):
    EmbeddedStore(tmp_path).close()
    (tmp_path / "format").write_text("1")
    with pytest.raises(ConfigError, match="has format 1"):
        EmbeddedStore(tmp_path)
