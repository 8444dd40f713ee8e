"""What the service counts and says when its store does not know objects, or has lost them."""

import threading

from broker_classifier.light_curve import light_curve
from broker_classifier.service.housekeeping import PRUNED_AT_ONCE, HouseKeeping
from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore, ObjectRecord, answered
from broker_classifier.store.port import Pruned
from broker_classifier.store.record import NO_ORIGIN
from tests.streets import ListSource, Topic, street
from tests.ztf_packets import flare


def record(**options):
    rows = answered([(1, 60000.0, False, options.pop("origin", 7))])
    return ObjectRecord(light_curve([60000.0], 100.0, 10.0, "g"), rows, **{"version": 1} | options)


def begun(packets, store=None):
    opened = street(ListSource(Topic(packets), batch_size=4), store=store)
    run(opened, threading.Event())
    return {
        kind: opened.metrics.registry.get_sample_value(
            "broker_objects_begun_total", {"history": kind}
        )
        for kind in ("none", "detections")
    }


def test_objects_are_begun_with_their_alert_or_with_a_history_of_detections():
    assert begun([*flare("ZTF1"), *flare("ZTF2")[3:], *flare("ZTF3")[:1]]) == {
        "none": 2,
        "detections": 1,
    }


def test_objects_in_the_store_are_not_begun_even_if_kept_before_there_were_versions():
    store = MemoryStore()
    old = {"ztf:ZTF1": record(version=0, origin=NO_ORIGIN), "ztf:ZTF2": record()}
    store.put(old, dict.fromkeys(old, 0), 0.0)
    assert begun([*flare("ZTF1"), *flare("ZTF2")], store) == {"none": 0, "detections": 0}


class Counted(MemoryStore):
    """A store of so many objects; each prune forgets as many as it is allowed to."""

    def __init__(self, n_objects):
        super().__init__()
        self.n_objects = n_objects

    def __len__(self):
        return self.n_objects

    def prune(self, seen_before, most):
        n_forgotten = min(most, self.n_objects)
        self.n_objects -= n_forgotten
        return Pruned(n_forgotten, is_end=not self.n_objects)


def kept(store, monkeypatch, **options):
    """Return what keeps house of a store, each time some seconds later, and what it tells."""
    seconds = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(seconds) * 10))
    opened = street(ListSource(Topic([])), store=store, **options)
    return HouseKeeping(opened), opened.metrics


def test_a_store_that_has_lost_its_objects_is_told_of(monkeypatch):
    store = Counted(1000)
    house, metrics = kept(store, monkeypatch)
    house.keep()
    store.n_objects = 990
    house.keep()
    assert metrics.health() == (True, "ok")
    store.n_objects = 3
    house.keep()
    is_well, sentence = metrics.health()
    assert is_well
    assert sentence.startswith("ok; the store lost 987 of 990 objects at 20")
    assert metrics.registry.get_sample_value("broker_store_losses_total") == 1


def test_what_was_pruned_is_not_lost(monkeypatch):
    store = Counted(PRUNED_AT_ONCE * 3 // 2)
    house, metrics = kept(store, monkeypatch, retention_s=1.0, prune_interval_s=1.0)
    for _ in range(4):
        house.keep()
    assert store.n_objects == 0
    assert metrics.health() == (True, "ok")
