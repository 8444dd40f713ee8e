"""What waits for a long time is told, and does not flood the log."""

import pytest
from structlog.testing import capture_logs

from broker_classifier import logs
from broker_classifier.logs import WaitingLog


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    return now


def test_waiting_is_told_when_it_begins_once_a_minute_and_at_its_end(clock):
    with capture_logs() as lines:
        waiting = WaitingLog("the page")
        waiting.note("")
        for second in range(130):
            clock[0] = float(second)
            waiting.note("no Kafka answers")
        waiting.note("")
        waiting.note("")
    assert [line["event"] for line in lines] == [
        "the page waits",
        "the page still waits",
        "the page still waits",
        "the page goes on",
    ]
    assert lines[0]["reason"] == "no Kafka answers"


def test_waiting_that_begins_again_is_told_again(clock):
    with capture_logs() as lines:
        waiting = WaitingLog("the page")
        for reason in ("away", "", "away"):
            waiting.note(reason)
    assert [line["event"] for line in lines] == [
        "the page waits",
        "the page goes on",
        "the page waits",
    ]
