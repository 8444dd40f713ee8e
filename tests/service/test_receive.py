import threading

import pytest

from broker_classifier.demo.simulate.night import simulate_night
from broker_classifier.light_curve import EMPTY, light_curve
from broker_classifier.service.loop import run
from broker_classifier.service.receive import ReceiveRules, receive
from broker_classifier.store import MemoryStore, ObjectRecord, answered
from broker_classifier.streams.message import Message
from broker_classifier.surveys.alert import Alert, Decoder
from tests.streets import DECODERS, ListSink, ListSource, Topic, standing, street

HISTORY_DAYS = 1.0


def message(mjd):
    return Message(str(mjd).encode(), "alerts", 0, 0, None, "ztf")


def alert(value, curve):
    return Alert("ztf", "A", 1, float(value), curve)


class NotingDecoder:
    """A decoder that notes which messages it read to their ends."""

    def __init__(self):
        self.read_whole = []
        self.decoder = Decoder(self.full, self.heads)

    def full(self, messages):
        self.read_whole += [float(value) for value in messages]
        curve = light_curve([1.0, 2.0], 100.0, 10.0, "g")
        return [alert(value, curve) for value in messages]

    def heads(self, messages):
        return [alert(value, EMPTY) for value in messages]


def read_whole(*mjd, history_mjd=None, history_days=HISTORY_DAYS):
    store, noting = MemoryStore(), NotingDecoder()
    if history_mjd is not None:
        known = ObjectRecord(EMPTY, answered([]), history_mjd=history_mjd)
        store.put({"ztf:A": known}, {"ztf:A": 0}, seen_at=0.0)
    rules = ReceiveRules({"ztf": noting.decoder}, {"ztf": history_days}, frozenset({"ztf"}))
    received = receive([message(item) for item in mjd], rules, store.read)
    with_history = [a.alert.mjd for a in received.arrivals if a.has_history]
    assert with_history == noting.read_whole
    assert [a.alert.mjd for a in received.arrivals] == list(mjd)
    return noting.read_whole


def test_the_history_of_a_new_object_is_read():
    assert read_whole(60000.0, 60000.1) == [60000.0, 60000.1]


def test_the_history_of_an_object_that_is_followed_is_not_read_again_at_once():
    assert read_whole(60000.0, 60000.9, history_mjd=60000.0) == []


def test_it_is_read_again_after_its_days():
    assert read_whole(60000.9, 60001.0, history_mjd=60000.0) == [60001.0]


def test_that_of_a_late_alert_is_read():
    assert read_whole(59999.0, history_mjd=60000.0) == [59999.0]


def test_every_history_is_read_where_the_days_are_0():
    assert read_whole(60000.5, history_mjd=60000.0, history_days=0.0) == [60000.5]


def test_what_fails_in_part_is_read_whole_and_fails_then():
    noting = NotingDecoder()
    rules = ReceiveRules({"ztf": noting.decoder}, {"ztf": HISTORY_DAYS}, frozenset({"ztf"}))
    received = receive([message(1.0)], rules, MemoryStore().read)  # in 1858
    assert noting.read_whole == [1.0]
    assert [str(error)[:20] for _, error in received.failures] == ["the alert's time is "]


@pytest.mark.parametrize("batch", [1, 40, 500])
def test_answers_do_not_depend_on_which_histories_were_read(batch):
    packets = [item.message for item in simulate_night(6, seed=11)]
    answers = []
    for days in (0.0, 1.0, 30.0):
        source, sink = ListSource(Topic(packets), batch), ListSink()
        run(street(source, sink, history_days={"ztf": days}), threading.Event())
        answers.append(standing(sink.to("classifications")))
    for other in answers[1:]:
        assert other.keys() == answers[0].keys()
        for alert_id, content in other.items():
            assert content["probabilities"] == pytest.approx(
                answers[0][alert_id]["probabilities"], abs=1e-5
            )


def test_both_ways_of_reading_are_there_for_the_surveys_with_histories():
    assert {name for name, decoder in DECODERS.items() if decoder.heads} == {"ztf", "lsst"}
