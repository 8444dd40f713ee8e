"""The street in memory: what comes out, in every order and batch, and after every crash."""

import random
import threading
from collections import Counter

import numpy as np
import pytest
from structlog.testing import capture_logs

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.service.housekeeping import HouseKeeping
from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from tests.streets import (
    Crash,
    CrashingStreet,
    DiskStore,
    ListSink,
    ListSource,
    Topic,
    contents,
    standing,
    street,
    totals,
    walk,
)
from tests.ztf_packets import alert, container, flare, measurement

NIGHT = [packet for name in ("ZTF1", "ZTF2", "ZTF3") for packet in flare(name, n=14)]
BAD = [b"", b"no avro", NIGHT[0][:-40], NIGHT[0][:200], b"Obj\x01" + bytes(50)]


def assert_same_answers(answers, expected):
    assert answers.keys() == expected.keys()
    for alert_id, content in answers.items():
        probabilities = [
            list(each[alert_id]["probabilities"].values()) for each in (answers, expected)
        ]
        np.testing.assert_allclose(*probabilities, atol=1e-5)
        assert content["n_points_used"] == expected[alert_id]["n_points_used"]
        assert [p["mjd"] for p in content["light_curve"]] == [
            p["mjd"] for p in expected[alert_id]["light_curve"]
        ]


def test_every_alert_gives_one_message_and_probabilities_evolve():
    opened, sink = walk(flare("ZTF1", n=14))
    messages = contents(sink.sent)
    assert [m["n_points_used"] for m in messages] == list(range(1, 15))
    assert len({m["probability"] for m in messages}) > 10
    assert opened.metrics.totals()["classified"] == 14


def test_history_outlives_the_packets_thirty_days():
    _, sink = walk(flare("ZTF1", n=14))
    assert contents(sink.sent)[-1]["light_curve"][0]["mjd"] == 60000.0


@pytest.mark.parametrize("batch_size", [1, 2, 5, 500])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_answers_are_the_same_whatever_the_order_and_batch_size(batch_size, seed):
    shuffled = random.Random(seed).sample(NIGHT, len(NIGHT))
    assert_same_answers(standing(walk(NIGHT)[1].sent), standing(walk(shuffled, batch_size)[1].sent))


def test_a_late_alert_revises_the_answers_that_it_changes_and_no_others():
    packets = [container(alert("Z", [measurement(60000.0 + day, fid=1)])) for day in range(4)]
    store = MemoryStore()
    walk([packets[0], packets[1], packets[3]], batch_size=1, store=store)
    opened, sink = walk([packets[2]], store=store)
    told = [(m["mjd"], m["revised"], m["n_points_used"]) for m in contents(sink.sent)]
    assert told == [(60002.0, False, 3), (60003.0, True, 4)]
    assert opened.metrics.totals() == totals(received=1, classified=1)


def test_alerts_that_other_messages_brought_are_duplicates_and_publish_nothing():
    store = MemoryStore()
    walk(NIGHT, store=store)
    opened, sink = walk(NIGHT * 2, batch_size=5, store=store, topic="other")
    assert sink.sent == []
    assert opened.metrics.totals() == totals(received=2 * len(NIGHT), duplicate=2 * len(NIGHT))


def test_a_repeat_within_a_batch_is_a_duplicate():
    opened, sink = walk([NIGHT[0], NIGHT[0]])
    assert len(sink.sent) == 1
    assert opened.metrics.totals() == totals(received=2, classified=1, duplicate=1)


def test_bad_messages_become_dead_letters_and_the_stream_goes_on():
    opened, sink = walk([NIGHT[0], *BAD, NIGHT[1]], batch_size=2)
    letters = sink.to("dead-letters")
    assert [letter.value for letter in letters] == BAD
    assert len(sink.to("classifications")) == 2
    assert opened.metrics.totals() == totals(received=7, classified=2, dead_lettered=5)


def test_a_dead_letter_says_why_and_where_it_came_from():
    letter = walk([NIGHT[0], b"no avro"])[1].to("dead-letters")[0]
    assert letter.headers["reason"] == "DecodeError"
    assert "Avro object container" in letter.headers["explanation"]
    assert (letter.headers["topic"], letter.headers["offset"]) == ("ztf_test", "1")
    assert "Traceback" in letter.headers["traceback"]


def test_an_alert_without_a_usable_point_is_declined():
    packet = container(alert("Z", [measurement(60000.0, isdiffpos="f")]))
    opened, sink = walk([packet])
    assert sink.sent == []
    assert opened.metrics.totals() == totals(received=1, declined=1)


def test_a_declined_alert_is_answered_once_points_from_its_past_arrive():
    negative = container(alert("Z", [measurement(60002.0, isdiffpos="f")]))
    late = container(alert("Z", [measurement(60001.0)]))
    _, sink = walk([negative, late], batch_size=1)
    assert [(m["mjd"], m["revised"]) for m in contents(sink.sent)] == [
        (60001.0, False),
        (60002.0, True),
    ]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["poll", "read", "send", "confirm", "put", "flush", "commit"])
@pytest.mark.parametrize("calls", [1, 3])
def test_a_crash_at_any_step_loses_no_alert(step, when, calls):
    topic, store, sink = Topic([*NIGHT, *BAD]), DiskStore(), ListSink()
    first = street(ListSource(topic, 6), sink, store)
    crash = CrashingStreet(step, when, calls)
    for owner, name in [
        (first.source, "poll"),
        (first.source, "commit"),
        (first.sink, "send"),
        (first.sink, "confirm"),
        (first.store, "read"),
        (first.store, "put"),
        (first.store, "flush"),
    ]:
        crash.wrap(owner, name)
    with pytest.raises(Crash):
        run(first, threading.Event())
    for owner, names in [(sink, ("send", "confirm")), (store, ("read", "put", "flush"))]:
        for name in names:
            delattr(owner, name)
    run(street(ListSource(topic, 6), sink.restart(), store.restart()), threading.Event())
    assert_same_answers(standing(sink.to("classifications")), standing(walk(NIGHT)[1].sent))
    assert {letter.value for letter in sink.to("dead-letters")} == set(BAD)
    assert topic.committed == len(topic.values)


def test_repeats_after_a_crash_carry_the_same_id():
    topic, store, sink = Topic(NIGHT), MemoryStore(), ListSink()
    first = street(ListSource(topic, 6), sink, store)
    CrashingStreet("commit", "before").wrap(first.source, "commit")
    with pytest.raises(Crash):
        run(first, threading.Event())
    run(street(ListSource(topic, 6), sink.restart(), store), threading.Event())
    repeats = Counter(message.headers["id"] for message in sink.sent)
    assert len(repeats) == len(NIGHT)
    assert min(repeats[message.headers["id"]] for message in sink.sent[:6]) > 1


def test_nothing_is_committed_while_the_output_is_down():
    topic, sink = Topic(NIGHT), ListSink()
    opened, stop = street(ListSource(topic), sink), threading.Event()
    sink.is_down = True
    worker = threading.Thread(target=run, args=(opened, stop))
    with capture_logs() as lines:
        worker.start()
        while opened.metrics.waiting_for != "output":
            stop.wait(0.01)
        is_well, sentence = opened.metrics.health()
        assert not is_well
        assert sentence.startswith("waiting for the output since 20")
        assert sentence.endswith(": down")
        assert topic.committed == 0
        sink.is_down = False
        worker.join(30)
    warnings = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert warnings == ["the service waits", "the service goes on"]
    assert topic.committed == len(NIGHT) == len(sink.sent)
    assert opened.metrics.totals() == totals(received=len(NIGHT), classified=len(NIGHT))


class DownStore(MemoryStore):
    """A store that does not answer."""

    def read(self, object_ids):
        msg = "down"
        raise StoreUnavailableError(msg)

    def prune(self, seen_before, most):
        msg = "down"
        raise StoreUnavailableError(msg)


def test_nothing_is_committed_when_the_store_is_down_and_a_stop_is_obeyed():
    topic, stop = Topic(NIGHT), threading.Event()
    opened = street(ListSource(topic), store=DownStore())
    worker = threading.Thread(target=run, args=(opened, stop))
    worker.start()
    while opened.metrics.waiting_for != "store":
        stop.wait(0.01)
    stop.set()
    worker.join(30)
    assert not worker.is_alive()
    assert topic.committed == 0
    HouseKeeping(opened).keep()


def test_a_stop_finishes_the_batch_under_way_and_takes_no_other():
    topic, stop = Topic(NIGHT), threading.Event()
    opened = street(ListSource(topic, 5))
    real = opened.store.put

    def put_and_stop(*arguments):
        stop.set()
        return real(*arguments)

    opened.store.put = put_and_stop
    run(opened, stop)
    assert topic.committed == 5 == len(opened.sink.sent)


def test_objects_past_their_retention_are_forgotten():
    store = MemoryStore()
    source, forgotten = ListSource(Topic(NIGHT), 5), {"retention_s": -1.0, "prune_interval_s": 0.0}
    opened = street(source, store=store, **forgotten)
    sizes, real = [], store.put

    def put(records, expected, seen_at):
        sizes.append(len(store))
        return real(records, expected, seen_at)

    store.put = put
    run(opened, threading.Event())
    assert len(sizes) > 2
    assert set(sizes) == {0}


def test_a_store_that_cannot_write_repeats_no_publication():
    store, sink = MemoryStore(), ListSink()
    real, failures = store.put, iter([True] * 5)

    def put(records, expected, seen_at):
        if next(failures, False):
            msg = "full"
            raise StoreUnavailableError(msg)
        return real(records, expected, seen_at)

    store.put = put
    opened, sink = walk([*NIGHT[:3], b"bad"], store=store, sink=sink)
    assert len(sink.to("classifications")) == 3
    assert len(sink.to("dead-letters")) == 1
    assert opened.metrics.totals() == totals(received=4, classified=3, dead_lettered=1)


def test_nothing_is_committed_before_what_is_known_is_on_disk():
    topic, stop, store = Topic(NIGHT), threading.Event(), DiskStore()
    real, errors = store.flush, [StoreUnavailableError("full")] * 3
    committed = []

    def flush():
        committed.append(topic.committed)
        if errors:
            raise errors.pop()
        real()

    store.flush = flush
    run(street(ListSource(topic), store=store), stop)
    assert committed == [0] * 4
    assert topic.committed == len(NIGHT)
