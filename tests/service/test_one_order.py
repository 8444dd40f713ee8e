"""All workers agree on one order of the points of an object, whoever crashes in between."""

import threading

import pytest

from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from tests.streets import Crash, CrashingStreet, ListSource, Topic, contents, street, totals, walk
from tests.ztf_packets import alert, container, measurement


def test_a_message_that_comes_again_is_answered_again_with_all_that_it_may_have_revised():
    packets = [container(alert("Z", [measurement(60000.0 + day, fid=1)])) for day in range(4)]
    store, late = MemoryStore(), Topic([packets[1]], "late")
    walk([packets[0], packets[2], packets[3]], store=store)
    lost = street(ListSource(late), store=store)
    CrashingStreet("send", "before").wrap(lost.sink, "send")
    with pytest.raises(Crash):
        run(lost, threading.Event())
    again = street(ListSource(late), store=store)
    run(again, threading.Event())
    answers = [(m["mjd"], m["revised"], m["n_points_used"]) for m in contents(again.sink.sent)]
    assert answers == [(60001.0, False, 2), (60002.0, True, 3), (60003.0, True, 4)]
    assert again.metrics.totals() == totals(received=1, classified=1)


def test_a_duplicate_that_brought_points_revises_again_when_it_comes_again():
    first, news, last = (measurement(60000.0 + day, fid=1) for day in range(3))
    store, other = MemoryStore(), Topic([container(alert("Z", [news, last]))], "other")
    walk([container(alert("Z", [last])), container(alert("Z", [first]))], store=store)
    for _ in range(2):
        other.committed = 0
        opened = street(ListSource(other), store=store)
        run(opened, threading.Event())
        answers = [(m["mjd"], m["revised"], m["n_points_used"]) for m in contents(opened.sink.sent)]
        assert answers == [(60002.0, True, 3)]
        assert opened.metrics.totals() == totals(received=1, duplicate=1)


def test_a_message_that_comes_again_after_another_with_the_same_alert_is_answered_again():
    packet = container(alert("Z", [measurement(60000.0, fid=1)]))
    store = MemoryStore()
    walk([packet], store=store)
    opened, sink = walk([packet, packet], store=store)  # the second is another message
    assert [m["n_points_used"] for m in contents(sink.sent)] == [1]
    assert opened.metrics.totals() == totals(received=2, classified=1, duplicate=1)


class RivalStore(MemoryStore):
    """A store that another worker puts something into between each read and put, so many times."""

    def __init__(self, packets):
        super().__init__()
        self.packets = list(packets)

    def put(self, records, expected, seen_at):
        if self.packets:
            rival = MemoryStore()
            rival._records, rival._seen_at = self._records, self._seen_at
            walk([self.packets.pop()], store=rival, topic=f"rival {len(self.packets)}")
        return super().put(records, expected, seen_at)


def test_objects_that_another_worker_put_meanwhile_are_worked_out_again():
    packets = [container(alert("Z", [measurement(60000.0 + day, fid=1)])) for day in range(4)]
    others = [container(alert("Y", [measurement(60000.0 + day, fid=1)])) for day in range(2)]
    store = RivalStore(packets[:2])
    opened, sink = walk([packets[2], *others, b"bad", packets[3]], store=store)
    n_points = {(m["object_id"], m["mjd"]): m["n_points_used"] for m in contents(sink.sent[:-1])}
    of_z = {("Z", 60002.0 + day): 3 + day for day in range(2)}
    assert n_points == of_z | {("Y", 60000.0 + day): 1 + day for day in range(2)}
    assert len(sink.to("dead-letters")) == 1
    assert opened.metrics.totals() == totals(received=5, classified=4, dead_lettered=1)
    versions = [m["curve_version"] for m in contents(sink.sent[:-1]) if m["object_id"] == "Z"]
    assert set(versions) == {store.read(["ztf:Z"])[0].version}
