"""The contract of every `LightCurveStore`: the same tests for all of them."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import lmdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker_classifier.errors import ConfigError, StoreUnavailableError
from broker_classifier.light_curve import light_curve
from broker_classifier.store import (
    UNKNOWN,
    EmbeddedStore,
    MemoryStore,
    ObjectRecord,
    answered,
    read_beside,
)
from broker_classifier.store.embedded import FIRST_MAP_BYTES


@pytest.fixture(params=["memory", "embedded"])
def store(request, tmp_path):
    opened = MemoryStore() if request.param == "memory" else EmbeddedStore(tmp_path / "store")
    yield opened
    opened.close()


def record(*days, alerts=()):
    curve = light_curve(days, 100.0, 10.0, "g")
    return ObjectRecord(curve, answered([(*alert, False)[:3] for alert in alerts]))


def test_an_object_never_seen_is_unknown(store):
    assert store.read(["nobody"]) == [UNKNOWN]


def test_records_come_back_in_the_order_asked_for(store):
    store.merge({"a": record(1.0), "b": record(2.0)}, seen_at=0.0)
    assert store.read(["b", "nobody", "a"]) == [record(2.0), UNKNOWN, record(1.0)]
    assert len(store) == 2


def test_merging_unites_with_what_is_there(store):
    store.merge({"a": record(1.0, 3.0, alerts=[(7, 3.0)])}, seen_at=0.0)
    store.merge({"a": record(2.0, 3.0, alerts=[(5, 2.0), (7, 3.0)])}, seen_at=0.0)
    assert store.read(["a"]) == [record(1.0, 2.0, 3.0, alerts=[(5, 2.0), (7, 3.0)])]


def test_what_was_merged_is_read_before_and_after_it_is_on_disk(store):
    store.merge({"a": record(1.0)}, seen_at=0.0)
    before = store.read(["a", "b"])
    store.flush()
    store.flush()
    assert store.read(["a", "b"]) == before == [record(1.0), UNKNOWN]


def test_64_bit_alert_ids_are_exact(store):
    store.merge({"a": record(1.0, alerts=[(2**63 - 1, 1.0), (2**53 + 1, 1.0)])}, seen_at=0.0)
    assert store.read(["a"])[0].answered["alert_id"].tolist() == [2**53 + 1, 2**63 - 1]


merges = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 3), st.booleans()),
    max_size=8,
)


@given(merges, st.randoms())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_and_repeats_of_merges_do_not_matter(tmp_path_factory, facts, random):
    shuffled = facts + facts[:2]
    random.shuffle(shuffled)
    one, other = MemoryStore(), EmbeddedStore(tmp_path_factory.mktemp("store"))
    for store, order in ((one, facts), (other, shuffled)):
        for name, day, alert_id, is_final in order:
            known = record(float(day), alerts=[(alert_id, day, is_final)])
            store.merge({name: known}, seen_at=0.0)
    assert one.read("ab") == other.read("ab")
    other.close()


def test_pruning_forgets_just_what_was_not_seen_lately(store):
    store.merge({"old": record(1.0), "new": record(1.0)}, seen_at=100.0)
    store.merge({"new": record(2.0)}, seen_at=200.0)
    assert store.prune(150.0, most=10) == (1, True)
    assert store.read(["old", "new"]) == [UNKNOWN, record(1.0, 2.0)]
    assert store.prune(150.0, most=10) == (0, True)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_pruning_by_parts_looks_at_every_object(store, most):
    names = [f"object {i}" for i in range(7)]
    for i, name in enumerate(names):
        store.merge({name: record(1.0)}, seen_at=100.0 * (i % 2))
    found = [store.prune(50.0, most)]
    while not found[-1].is_end:
        found.append(store.prune(50.0, most))
    assert sum(one.n_forgotten for one in found) == 4
    assert [one == UNKNOWN for one in store.read(names)] == [True, False] * 3 + [True]
    assert store.prune(500.0, 100) == (3, True)
    assert store.prune(500.0, most) == (0, True)


def test_a_late_merge_does_not_make_an_object_older(store):
    store.merge({"a": record(1.0)}, seen_at=200.0)
    store.merge({"a": record(2.0)}, seen_at=100.0)
    assert store.prune(150.0, most=10) == (0, True)


def test_an_empty_merge_and_a_second_close_are_harmless(store):
    store.merge({}, seen_at=0.0)
    store.close()
    store.close()


def test_the_embedded_store_remembers_after_a_restart(tmp_path):
    first = EmbeddedStore(tmp_path)
    first.merge({"a": record(1.0)}, seen_at=0.0)
    first.close()
    again = EmbeddedStore(tmp_path)
    assert again.read(["a"]) == [record(1.0)]
    again.close()


def test_the_embedded_store_grows_past_its_first_size(tmp_path, monkeypatch):
    monkeypatch.setattr("broker_classifier.store.embedded.FIRST_MAP_BYTES", 1 << 16)
    store = EmbeddedStore(tmp_path)
    many = {f"object{i}": record(*range(50)) for i in range(500)}
    store.merge(many, seen_at=0.0)
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
    store.merge({"a": record(1.0)}, seen_at=0.0)
    with pytest.raises(StoreUnavailableError, match="no space"):
        store.flush()
    assert store.read(["a"]) == [record(1.0)]
    store.flush()
    store.close()
    assert read_beside(tmp_path, ["a"]) == [record(1.0)]


def test_a_map_that_is_full_at_the_commit_grows(tmp_path):
    store = EmbeddedStore(tmp_path)
    store._committer = FailingOnce(lmdb.MapFullError("full"))
    store.merge({"a": record(1.0)}, seen_at=0.0)
    store.flush()
    assert store._env.info()["map_size"] == 2 * FIRST_MAP_BYTES
    store.close()
    assert read_beside(tmp_path, ["a"]) == [record(1.0)]


CRASHER = """
import os, signal, sys
from pathlib import Path
from broker_classifier.light_curve import light_curve
from broker_classifier.store import EmbeddedStore, ObjectRecord, answered
store = EmbeddedStore(Path(sys.argv[1]))
for i in range(10**6):
    curve = light_curve([float(i)], 100.0, 10.0, "g")
    store.merge({f"{i % 7}": ObjectRecord(curve, answered([(i, float(i), False)]))}, seen_at=0.0)
    store.flush()
    print(i, flush=True)
"""


def test_every_merge_that_was_flushed_survives_a_kill(tmp_path):
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
    with pytest.raises(ConfigError, match="another service has"):
        EmbeddedStore(tmp_path)
    first.close()
    EmbeddedStore(tmp_path).close()


def test_a_damaged_record_is_named_and_waited_for(tmp_path):
    store = EmbeddedStore(tmp_path)
    store.merge({"good": record(1.0)}, seen_at=0.0)
    store.flush()
    with store._env.begin(write=True) as transaction:
        transaction.put(b"bad", b"short")
    with pytest.raises(StoreUnavailableError, match="damaged at bad"):
        store.read(["good", "bad"])
    assert store.prune(1.0, most=10) == (1, True)
    store.close()


def test_the_newest_memory_of_the_classifier_is_kept(store):
    curve = record(1.0).curve
    store.merge({"a": ObjectRecord(curve, answered([]), b"first")}, seen_at=0.0)
    store.merge({"a": ObjectRecord(curve, answered([]), b"second")}, seen_at=0.0)
    store.merge({"a": record(2.0)}, seen_at=0.0)
    assert store.read(["a"])[0].encoder_state == b"second"


def test_a_store_of_another_format_is_refused(tmp_path):
    EmbeddedStore(tmp_path).close()
    (tmp_path / "format").write_text("1")
    with pytest.raises(ConfigError, match="has format 1"):
        EmbeddedStore(tmp_path)
