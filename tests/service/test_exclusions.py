"""What the rules exclude is declined and counted, keeps its light curve, and is answered later."""

import threading

import pytest

from broker_classifier.config.rules import Rules
from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from tests.streets import ListSink, ListSource, Topic, contents, street, totals
from tests.ztf_packets import alert, container, measurement

RULES = {"ztf": Rules()}
GOOD, BOGUS = {"drb": 0.99}, {"drb": 0.1}
ASTEROID = {"ssdistnr": 1.0, "ssnamenr": "17495"}


def walk(packets, store=None, exclusions=RULES):
    sink = ListSink()
    service = street(ListSource(Topic(packets)), sink, store, exclusions=exclusions)
    run(service, threading.Event())
    return service, sink


def detection(day, candid, **context):
    return measurement(60000.0 + day, mag=18.0 - day / 10, candid=candid, **context)


def packet(*measurements):
    return container(alert("Z", list(measurements)))


def curve_of(store):
    return store.read(["ztf:Z"])[0].curve


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (ASTEROID, "solar_system"),
        (BOGUS, "artefact"),
        ({"distpsnr1": 0.4, "sgscore1": 0.98}, "star"),
    ],
)
def test_an_excluded_alert_is_declined_with_the_rules_name(context, reason):
    service, sink = walk([packet(detection(0, 1, **context))])
    assert (service.metrics.totals(), sink.sent) == (totals(1, declined=1), [])
    assert service.metrics.reasons() == {reason: 1}


def test_without_rules_every_alert_is_answered():
    for exclusions in ({}, {"ztf": Rules().off()}):
        service, _ = walk([packet(detection(0, 1, **BOGUS))], exclusions=exclusions)
        assert service.metrics.totals() == totals(1, classified=1)


def test_an_excluded_alerts_points_count_when_a_later_packet_says_otherwise():
    first, second = detection(0, 1, **BOGUS), detection(3, 2, **GOOD)
    store = MemoryStore()
    walk([packet(first)], store)
    _, sink = walk([packet(second)], store)
    [answer] = contents(sink.sent)
    assert (answer["alert_id"], answer["n_points_used"]) == (2, 2)


def test_a_replay_answers_what_a_rule_excluded_that_is_off_now():
    store, messages = MemoryStore(), [packet(detection(0, 1, **BOGUS))]
    walk(messages, store)
    _, sink = walk(messages, store, exclusions={})
    assert [one["alert_id"] for one in contents(sink.sent)] == [1]


def test_a_passing_asteroid_begins_no_light_curve():
    store, past = MemoryStore(), measurement(59999.0, mag=None)
    service, _ = walk([packet(past, detection(0, 1, **ASTEROID))], store)
    assert (service.metrics.reasons(), len(store)) == ({"solar_system": 1}, 0)


def test_a_passing_asteroid_is_no_point_of_the_object_that_it_passed():
    supernova = [detection(day, day + 1, **GOOD) for day in (0, 2)]
    asteroid, later = detection(1, 77, **ASTEROID), detection(4, 5, **GOOD)
    packets = [packet(supernova[0]), packet(supernova[0], asteroid), packet(*supernova)]
    packets.append(packet(supernova[0], asteroid, supernova[1], later))
    store = MemoryStore()
    service, sink = walk(packets, store)
    assert service.metrics.totals() == totals(4, classified=3, declined=1)
    assert curve_of(store).mjd.tolist() == [60000.0, 60002.0, 60004.0]
    assert contents(sink.sent)[-1]["n_points_used"] == 3
