"""Alerts that are odd, absurd or malicious: each ends somewhere, and the stream goes on."""

import math
import threading

import pytest

from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from broker_classifier.streams.classification import parse
from tests.streets import ListSource, Topic, contents, standing, street, totals, walk
from tests.surveys.bombs import bombs
from tests.ztf_packets import alert, container, flare, measurement

NIGHT = flare("ZTF1", n=5)


def test_what_the_surveys_rules_exclude_is_never_answered_later():
    excluded = container(alert("Z", [measurement(60002.0, mag=None, candid=7)]))
    late = container(alert("Z", [measurement(60001.0)]))
    for packets in ([excluded, late], [late, excluded]):
        for batch_size in (1, 2):
            _, sink = walk(packets, batch_size)
            assert list(standing(sink.sent)) == [60001000]


@pytest.mark.parametrize("batch_size", [1, 2])
def test_an_answer_that_loses_its_last_point_is_taken_back(batch_size):
    """Two candidates of one exposure: the better one, negative, replaces the only point."""
    rough = measurement(60001.0, candid=1, sigmapsf=0.2)
    fine = measurement(60001.0, candid=2, sigmapsf=0.01, isdiffpos="f")
    packets = [container(alert("Z", [point])) for point in (rough, fine)]
    opened, sink = walk(packets, batch_size)
    last = standing(sink.sent).get(1)
    assert last is None or (last["class"], last["n_points_used"]) == ("NotClassified", 0)
    if last:
        assert parse(sink.sent[-1].value).top_class == "NotClassified"
    assert opened.metrics.totals()["received"] == 2


def test_alerts_of_a_survey_without_a_bundle_are_declined_but_remembered():
    store = MemoryStore()
    opened = street(ListSource(Topic(NIGHT)), store=store, bundles={})
    run(opened, threading.Event())
    assert opened.metrics.totals() == totals(received=5, declined=5)
    assert [len(record.curve) > 0 for record in store.read(["ztf:ZTF1"])] == [True]


ODD_TIMES = [0.0, 99.0, -999.0, 1e12, 1e20, 1e300, math.inf]
ODD_MAGNITUDES = [-1e30, -999.0, 0.0, 99.0, 1e30, math.nan, math.inf]


@pytest.mark.parametrize("jd", ODD_TIMES)
def test_an_impossible_date_is_a_dead_letter(jd):
    odd = container(alert("Z", [measurement(60000.0, jd=jd)]))
    opened, _sink = walk([odd, NIGHT[0]])
    assert opened.metrics.totals() == totals(received=2, classified=1, dead_lettered=1)


@pytest.mark.parametrize("magnitude", ODD_MAGNITUDES)
def test_an_absurd_magnitude_stops_nothing(magnitude):
    odd = container(alert("Z", [measurement(60000.0, mag=magnitude), measurement(60001.0)]))
    opened, _ = walk([odd, NIGHT[0]])
    assert opened.metrics.totals() == totals(received=2, classified=2)


@pytest.mark.parametrize("object_id", ["", "Z" * 1000, "\u2603" * 100])
def test_an_impossible_object_id_is_a_dead_letter(object_id):
    odd = container(alert(object_id, [measurement(60000.0)]))
    opened, _ = walk([odd, NIGHT[0]])
    assert opened.metrics.totals() == totals(received=2, classified=1, dead_lettered=1)


def test_a_bomb_is_a_dead_letter_that_says_why_and_the_stream_goes_on():
    large = [bomb for bomb in bombs() if bomb.survey == "ztf"]
    opened, sink = walk([*(bomb.message for bomb in large), NIGHT[0]])
    assert opened.metrics.totals() == totals(
        received=len(large) + 1, classified=1, dead_lettered=len(large)
    )
    letters = [message.headers for message in sink.sent if "explanation" in message.headers]
    for bomb, headers in zip(large, letters, strict=True):
        assert bomb.reason in headers["explanation"]


def test_a_message_without_a_credible_timestamp_is_answered():
    source = ListSource(Topic(NIGHT[:1]), timestamp_ms=None)
    opened = street(source)
    run(opened, threading.Event())
    assert contents(opened.sink.sent)[0]["times"]["received"] is None


def test_a_replay_answers_what_was_declined_for_want_of_a_bundle():
    store = MemoryStore()
    run(street(ListSource(Topic(NIGHT)), store=store, bundles={}), threading.Event())
    opened, sink = walk(NIGHT, store=store)
    assert opened.metrics.totals() == totals(received=len(NIGHT), classified=len(NIGHT))
    assert [m["revised"] for m in contents(sink.sent)] == [False] * len(NIGHT)
