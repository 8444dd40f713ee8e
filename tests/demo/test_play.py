"""What is sent when: one alert first, then by the clock, never more than Kafka keeps."""

import time
from dataclasses import replace

import pytest

from broker_classifier.demo.play import FEWEST_ALERTS_PER_S, MOST_IN_FLIGHT, Playing, sender
from broker_classifier.streams.embedded_kafka import BYTES_KEPT_PER_PARTITION
from tests.demo.answers import RECEIVED, answer, sent
from tests.streets import ListSink

ALERTS = [sent(i) for i in range(1000)]


def answer_all(playing: Playing) -> None:
    for alert in playing.ledger.sent:
        playing.ledger.receive(answer(alert.alert_id or 0), RECEIVED.timestamp())


def test_one_alert_goes_alone_until_it_is_answered():
    playing, sink = Playing(ALERTS, time.monotonic()), ListSink()
    send = sender(playing, sink, seconds=0.001)
    for _ in range(5):
        send()
    assert [message.value for message in sink.sent] == [b"packet"]


def test_no_more_is_in_flight_than_its_answers_fit_into_the_embedded_kafka():
    playing, sink = Playing(ALERTS, time.monotonic()), ListSink()
    send = sender(playing, sink, seconds=0.001)
    send()
    while len(sink.sent) < len(ALERTS):
        answer_all(playing)
        send()
        assert playing.ledger.n_in_flight <= MOST_IN_FLIGHT


def test_large_packets_are_sent_few_at_a_time():
    large = b"x" * (BYTES_KEPT_PER_PARTITION // 10)
    playing, sink = Playing([replace(a, message=large) for a in ALERTS], 0.0), ListSink()
    send = sender(playing, sink, seconds=0.001)
    send()
    answer_all(playing)
    while playing.ledger.n_in_flight < 5:
        send()
    send()
    assert playing.ledger.n_in_flight == 5


def test_alerts_are_spread_over_the_time_given(monkeypatch: pytest.MonkeyPatch):
    playing, sink, now = Playing(ALERTS, 0.0), ListSink(), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    send = sender(playing, sink, seconds=100.0)
    send()
    for second in range(101):
        now[0] = float(second)
        answer_all(playing)
        send()
        assert len(sink.sent) == min(1000, 1 + 10 * second)


def test_few_alerts_do_not_make_a_slow_demo(monkeypatch: pytest.MonkeyPatch):
    playing, sink, now = Playing(ALERTS[:20], 0.0), ListSink(), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    send = sender(playing, sink, seconds=60.0)
    send()
    for now[0] in (0.0, 20 / FEWEST_ALERTS_PER_S):
        answer_all(playing)
        send()
    assert len(sink.sent) == 20
