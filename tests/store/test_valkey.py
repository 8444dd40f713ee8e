"""What the store on a server does beyond the contract: races, expiry, crashes, cuts, secrets."""

import signal
import threading
import time
from contextlib import closing

import pytest

from broker_classifier.errors import ConfigError, StoreRestartedError, StoreUnavailableError
from broker_classifier.light_curve import light_curve
from broker_classifier.store import UNKNOWN, ObjectRecord, answered
from broker_classifier.store import valkey as module
from broker_classifier.store.valkey import KEY_PREFIX, ValkeyStore
from tests.kafka_streets import wait_until
from tests.valkey_servers import server


def record(version, day=1.0):
    return ObjectRecord(light_curve([day], 100.0, 10.0, "g"), answered([]), version=version)


@pytest.fixture
def own_server(tmp_path):
    with server(tmp_path) as started:
        yield started


@pytest.fixture
def store(own_server):
    with closing(ValkeyStore(own_server.url)) as opened:
        yield opened


def test_of_two_workers_that_read_the_same_version_one_puts(own_server, store):
    with closing(ValkeyStore(own_server.url)) as other:
        assert store.put({"a": record(5)}, {"a": 0}, 0.0) == set()
        assert other.read(["a"]) == store.read(["a"]) == [record(5)]
        assert other.put({"a": record(7, 2.0)}, {"a": 5}, 0.0) == set()
        assert store.put({"a": record(6)}, {"a": 5}, 0.0) == {"a"}
        assert store.read(["a"]) == [record(7, 2.0)]


def test_workers_that_count_together_lose_no_step(own_server):
    def count(n):
        with closing(ValkeyStore(own_server.url)) as store:
            while n:
                (before,) = store.read(["a"])
                after = ObjectRecord(before.curve, before.answered, version=before.version + 1)
                n -= not store.put({"a": after}, {"a": before.version}, 0.0)

    workers = [threading.Thread(target=count, args=(100,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with closing(ValkeyStore(own_server.url)) as reader:
        assert reader.read(["a"])[0].version == 400


def test_an_object_expires_after_its_retention_and_never_sooner_than_before(own_server):
    with closing(ValkeyStore(own_server.url, retention_s=100.0)) as store:
        now, client = time.time(), own_server.client()
        assert store.put({"a": record(1)}, {"a": 0}, now) == set()
        assert 98_000 < client.pttl(KEY_PREFIX + "a") <= 100_000
        assert store.put({"a": record(2)}, {"a": 1}, now - 50.0) == set()
        assert 98_000 < client.pttl(KEY_PREFIX + "a") <= 100_000
        assert store.put({"b": record(1)}, {"b": 0}, now - 101.0) == set()
        wait_until(lambda: store.read(["a", "b"]) == [record(2), UNKNOWN], "the end of b")


def test_an_object_is_kept_for_its_retention_by_a_worker_whose_clock_is_behind(
    own_server, monkeypatch
):
    behind = time.time() - 3600.0
    monkeypatch.setattr(time, "time", lambda: behind)
    with closing(ValkeyStore(own_server.url, retention_s=100.0)) as store:
        assert store.put({"a": record(1)}, {"a": 0}, behind) == set()
        assert 98_000 < own_server.client().pttl(KEY_PREFIX + "a") <= 100_000


def test_what_was_flushed_survives_a_kill(own_server, store):
    store.put({"a": record(1)}, {"a": 0}, 0.0)
    store.flush()
    own_server.kill()
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        store.read(["a"])
    own_server.start()
    assert store.read(["a"]) == [record(1)]
    store.put({"a": record(2)}, {"a": 1}, 0.0)
    store.flush()


def test_a_server_that_was_started_anew_before_the_flush_may_have_lost_what_was_put(
    own_server, store
):
    store.put({"a": record(1)}, {"a": 0}, 0.0)
    own_server.kill()
    own_server.start()
    with pytest.raises(StoreRestartedError, match="started anew"):
        store.flush()
    store.flush()


def test_a_new_connection_to_the_same_server_loses_nothing(own_server, store):
    store.put({"a": record(1)}, {"a": 0}, 0.0)
    own_server.client().client_kill_filter(_type="normal", skipme=True)
    before = store._n_connections
    store.flush()
    assert store._n_connections > before
    assert store.read(["a"]) == [record(1)]


def test_a_put_whose_answer_was_lost_is_a_conflict_when_it_is_tried_again(own_server, store):
    real = store._conflicts

    def cut(*arguments):
        real(*arguments)
        raise ConnectionResetError

    store._conflicts = cut
    with pytest.raises(StoreUnavailableError):
        store.put({"a": record(1)}, {"a": 0}, 0.0)
    store._conflicts = real
    assert store.put({"a": record(1)}, {"a": 0}, 0.0) == {"a"}
    assert store.read(["a"]) == [record(1)]


def test_a_server_that_sleeps_is_down_and_goes_on(own_server, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    with closing(ValkeyStore(own_server.url)) as store:
        own_server.send(signal.SIGSTOP)
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            store.read(["a"])
        own_server.send(signal.SIGCONT)
        assert store.read(["a"]) == [UNKNOWN]


def test_a_batch_is_read_and_put_in_one_round_trip_each(own_server, store):
    names = [f"object {i}" for i in range(500)]
    calls = own_server.client().info("stats")["total_commands_processed"]
    store.put(dict.fromkeys(names, record(1)), dict.fromkeys(names, 0), 0.0)
    store.read(names)
    store.flush()
    seen = own_server.client().info("commandstats")
    assert {name: seen[f"cmdstat_{name}"]["calls"] for name in ("eval", "mget", "waitaof")} == {
        "eval": 1,
        "mget": 1,
        "waitaof": 1,
    }
    assert calls


def test_a_server_without_a_disk_is_refused_unless_the_settings_allow_it(tmp_path):
    with server(tmp_path, "--appendonly", "no") as started:
        with pytest.raises(ConfigError, match=r"appendonly yes.*store\.may_forget"):
            ValkeyStore(started.url)
        with closing(ValkeyStore(started.url, may_forget=True)) as store:
            store.put({"a": record(1)}, {"a": 0}, 0.0)
            store.flush()


def test_a_password_opens_the_store_and_is_told_to_nobody(tmp_path):
    with server(tmp_path, "--requirepass", "open sesame") as started:
        with closing(ValkeyStore(started.url, password="open sesame")) as store:
            assert store.read(["a"]) == [UNKNOWN]
        wrong = started.url.replace("127", "worker:shibboleth@127")
        for url, password in [(wrong, ""), (started.url, "shibboleth"), (started.url, "")]:
            with pytest.raises(ConfigError) as caught:
                ValkeyStore(url, password=password)
            assert "shibboleth" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_server_that_is_not_there_says_where_it_was_looked_for():
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1/0 cannot be reached.*store\.path"):
        ValkeyStore("valkey://127.0.0.1:1/0")
