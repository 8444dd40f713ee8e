"""A batch is worked out while Kafka and the disk take what came of those before."""

import threading

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from tests.service.test_loop import NIGHT, assert_same_answers
from tests.streets import ListSink, ListSource, Topic, standing, street, walk


def test_a_batch_is_worked_out_while_the_one_before_is_not_confirmed_and_sees_its_points():
    store, sink, log = MemoryStore(), ListSink(), []
    opened = street(ListSource(Topic(NIGHT), 6), sink, store)
    for owner, name in [
        (sink, "send"),
        (sink, "confirm"),
        (store, "read"),
        (store, "put"),
        (store, "flush"),
    ]:
        real = getattr(owner, name)
        setattr(
            owner, name, lambda *a, _real=real, _name=name, **k: log.append(_name) or _real(*a, **k)
        )
    run(opened, threading.Event())
    steps = [name for i, name in enumerate(log) if name not in log[i + 1 : i + 2]]  # repeats once
    assert steps[:5] == ["read", "put", "read", "flush", "send"]
    assert steps[5:10] == ["put", "read", "confirm", "flush", "send"]
    assert steps[-4:] == ["confirm", "flush", "send", "confirm"]
    assert_same_answers(standing(sink.sent), standing(walk(NIGHT, batch_size=1)[1].sent))


def test_a_stop_finishes_what_was_sent_although_the_next_batch_cannot_be_worked_out():
    topic, stop, sink, store = Topic(NIGHT), threading.Event(), ListSink(), MemoryStore()
    real, calls = store.read, []

    def read(names):
        calls.append(1)
        if len(calls) == 1:
            return real(names)
        stop.set()
        msg = "down"
        raise StoreUnavailableError(msg)

    store.read = read
    run(street(ListSource(topic, 5), sink, store), stop)
    assert topic.committed == 5 == len(sink.sent)


def test_nothing_is_worked_out_while_no_alert_comes():
    class Idle(ListSource):
        left = 3

        @property
        def is_exhausted(self):
            self.left -= 1
            return self.left < 0

    store, sink = MemoryStore(), ListSink()
    store.read = sink.send = None  # not to be called
    run(street(Idle(Topic([])), sink, store), threading.Event())
