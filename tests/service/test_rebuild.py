"""Messages merged into a store without an answer: what is counted, and what workers make of it."""

import threading
from contextlib import closing

import pytest

from broker_classifier.config import Settings
from broker_classifier.config.rules import Rules
from broker_classifier.errors import ConfigError, StoreRestartedError, StoreUnavailableError
from broker_classifier.service import rebuild as rebuilding
from broker_classifier.service.loop import run
from broker_classifier.service.rebuild import merge_into
from broker_classifier.service.receive import ReceiveRules
from broker_classifier.store import EmbeddedStore, MemoryStore
from broker_classifier.streams.message import Message
from tests.streets import DECODERS, ListSink, ListSource, Topic, standing, street, walk
from tests.ztf_packets import alert, container, decode_batch, flare, measurement

NAMES = ("ZTF1", "ZTF2", "ZTF3")
NIGHT = [packet for name in NAMES for packet in flare(name, n=14)]
ASTEROID = container(
    alert("ZTF9", [measurement(60000.0) | {"ssdistnr": 1.0, "ssmagnr": 18.0, "ssnamenr": "433"}])
)
RULES = ReceiveRules(DECODERS, {}, frozenset({"ztf"}), {"ztf": Rules()})


def messages(packets, topic="ztf_test"):
    return [Message(packet, topic, 0, i, None, "ztf") for i, packet in enumerate(packets)]


def whole(name):
    """Unite the packets of an object."""
    alerts = decode_batch(flare(name, n=14))
    return alerts[0].curve.merge(*(each.curve for each in alerts[1:]))


def records_of(store):
    return store.read([f"ztf:{name}" for name in NAMES])


def test_every_alert_read_is_counted_once():
    store = MemoryStore()
    counts = merge_into(store, RULES, messages([*NIGHT, NIGHT[0], b"no avro", ASTEROID]))
    assert dict(counts) == {
        "alerts_read": 45,
        "alerts_new": 42,
        "already_known": 1,
        "declined": 1,
        "withdrawn": 0,
        "unreadable": 1,
        "points_new": 3 * 14,
        "objects_begun": 3,
    }
    assert [record.curve for record in records_of(store)] == [whole(name) for name in NAMES]


def test_what_is_known_already_is_left_as_it_is():
    store = MemoryStore()
    merge_into(store, RULES, messages(NIGHT))
    before = records_of(store)
    counts = merge_into(store, RULES, messages(NIGHT))
    assert counts["already_known"] == counts["alerts_read"] == len(NIGHT)
    assert counts["points_new"] == counts["objects_begun"] == 0
    assert records_of(store) == before


class OtherIsFaster(MemoryStore):
    """Another worker puts the next alert of ZTF1 while the first batch is merged."""

    def put(self, records, expected, seen_at):
        if not len(self):
            super().put(dict.fromkeys(["ztf:ZTF1"], walked("ZTF1")), {"ztf:ZTF1": 0}, seen_at)
        return super().put(records, expected, seen_at)


def walked(name):
    store = MemoryStore()
    merge_into(store, RULES, messages(flare(name, n=14)[:5]))
    return store.read([f"ztf:{name}"])[0]


def test_what_a_worker_puts_meanwhile_is_kept_and_counted_once():
    store = OtherIsFaster()
    counts = merge_into(store, RULES, messages(NIGHT))
    assert [record.curve for record in records_of(store)] == [whole(name) for name in NAMES]
    assert counts["alerts_read"] == len(NIGHT)
    assert counts["already_known"] == 5
    assert counts["points_new"] == 3 * 14 - 5
    assert counts["objects_begun"] == 2


def test_a_worker_that_reads_the_same_messages_answers_them_all_the_same():
    store, sink = MemoryStore(), ListSink()
    merge_into(store, RULES, messages(NIGHT))
    opened = street(ListSource(Topic(NIGHT), batch_size=5), sink, store)
    run(opened, threading.Event())
    right = standing(walk(NIGHT)[1].sent)
    answers = standing(sink.sent)
    assert answers.keys() == right.keys()
    for alert_id, content in answers.items():
        assert content["probabilities"] == pytest.approx(right[alert_id]["probabilities"], abs=2e-5)


class FailingStore(MemoryStore):
    """A store that is away once at each step."""

    def __init__(self):
        super().__init__()
        self.errors = {
            "put": [StoreUnavailableError("away")],
            "flush": [StoreUnavailableError("away"), StoreRestartedError("anew")],
        }

    def _fail(self, step):
        if self.errors[step]:
            raise self.errors[step].pop()

    def put(self, records, expected, seen_at):
        self._fail("put")
        return super().put(records, expected, seen_at)

    def flush(self):
        self._fail("flush")


def test_a_store_that_is_down_is_waited_for(monkeypatch):
    store = FailingStore()
    monkeypatch.setattr(rebuilding, "open_store", lambda _: store)
    monkeypatch.setattr(rebuilding, "past_alerts", lambda *_: iter(messages(NIGHT)))
    settings = Settings(kafka={"retry_delay_s": 0.01, "batch_size": 10})
    counts = rebuilding.rebuild(settings)
    assert counts["alerts_read"] == len(NIGHT)
    assert [record.curve for record in records_of(store)] == [whole(name) for name in NAMES]


def test_a_store_in_memory_is_refused():
    with pytest.raises(ConfigError, match="ends with its process: set it to the service's store"):
        rebuilding.rebuild(Settings(store={"path": "memory"}))


def test_what_was_merged_is_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(rebuilding, "past_alerts", lambda *_: iter(messages(NIGHT)))
    rebuilding.rebuild(Settings(store={"path": str(tmp_path)}))
    with closing(EmbeddedStore(tmp_path)) as store:
        assert [record.curve for record in records_of(store)] == [whole(name) for name in NAMES]
