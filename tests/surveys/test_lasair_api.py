"""The object API's client, against a real HTTP server: its retries, its budget, its secret."""

import json
import socket

import pytest
import structlog

from broker_classifier.errors import LightCurveUnavailableError
from broker_classifier.surveys.lasair import decode_batch
from broker_classifier.surveys.lasair_api import BACKOFF_S, PAUSE_S, LasairApi, object_apis
from tests.surveys.lasair_rows import LSST_ID, fake_lasair, lite, row, source
from tests.surveys.lsst_packets import tai

TOKEN = "secret-token"
OBJECT = str(LSST_ID)
ANSWER = {"diaObjectId": LSST_ID} | lite(source(60983.2, float("nan")), source(60975.2))


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def lasair(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with fake_lasair(TOKEN) as server:
        server.objects[OBJECT] = json.dumps(ANSWER)
        yield server


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def api(lasair, clock):
    return client(lasair.url, clock)


def client(url, clock, token=TOKEN, **options):
    return LasairApi(token, url, **options, clock=clock, sleep=clock.sleep)


def test_an_object_is_asked_for_as_lasairs_own_client_does(lasair, api):
    answer = api.fetch(OBJECT, "1")
    assert [entry["midpointMjdTai"] for entry in answer["diaSourcesList"]] == [
        tai(60983.2),
        tai(60975.2),
    ]
    assert lasair.asked == [{"objectId": OBJECT, "lite": "False", "lasair_added": "False"}]


def test_a_state_asked_for_before_or_an_earlier_one_costs_no_call(lasair, api):
    assert api.fetch(OBJECT, "2") == api.fetch(OBJECT, "2") == api.fetch(OBJECT, "1.5")
    assert api.fetch("unknown", "1") is api.fetch("unknown", "1") is None
    assert len(lasair.asked) == 2
    api.fetch(OBJECT, "3")
    assert len(lasair.asked) == 3


def test_many_rows_of_an_object_in_a_batch_cost_one_call(lasair, api):
    rows = [row(diaObjectId=LSST_ID, lastDiaSourceMjdTai=tai(mjd)) for mjd in (60975.2, 60983.2)]
    first, second = decode_batch(rows, {"lsst": api})
    assert (first.mjd, second.mjd) == (60975.2, 60983.2)
    assert len(lasair.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again_with_growing_waits(lasair, api, clock, status):
    lasair.failures = [status] * len(BACKOFF_S)
    assert api.fetch(OBJECT, "1") is not None
    assert clock.slept == list(BACKOFF_S) == sorted(BACKOFF_S)


def test_lasting_failure_leaves_it_alone_for_a_while(lasair, api, clock):
    lasair.failures = [429] * 3
    with pytest.raises(LightCurveUnavailableError, match=r"429.*replay"):
        api.fetch(OBJECT, "1")
    with pytest.raises(LightCurveUnavailableError, match="left alone"):
        api.fetch(OBJECT, "1")
    assert len(lasair.asked) == 3
    clock.now += PAUSE_S
    assert api.fetch(OBJECT, "1") is not None


def test_a_server_that_is_down_is_tried_again_and_named(clock):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(LightCurveUnavailableError, match=f"127.0.0.1:{port}"):
        client(f"http://127.0.0.1:{port}/api", clock).fetch(OBJECT, "1")
    assert clock.slept == list(BACKOFF_S)


def test_no_more_calls_are_made_than_an_hour_allows_retries_included(lasair, clock):
    api = client(lasair.url, clock, calls_per_hour=3)
    lasair.failures = [503]
    api.fetch(OBJECT, "1")
    api.fetch(OBJECT, "2")
    with pytest.raises(LightCurveUnavailableError, match="3 calls of this hour are spent"):
        api.fetch(OBJECT, "3")
    assert len(lasair.asked) == 3
    clock.now += 3600.0
    assert api.fetch(OBJECT, "3") is not None


@pytest.mark.parametrize("broken", ["not JSON", "", "[]", '{"error": "no such table"}'])
def test_an_answer_that_is_no_object_gives_no_light_curve(lasair, api, broken):
    lasair.objects[OBJECT] = broken
    [alert] = decode_batch([row(diaObjectId=OBJECT, UTC="2026-01-01 00:00:00")], {"lsst": api})
    if isinstance(alert, LightCurveUnavailableError):
        assert broken in ("not JSON", "")
    else:
        assert alert.decline == "no_light_curve"


def test_a_refused_token_is_not_tried_again_and_never_shown(lasair, clock):
    api = client(lasair.url, clock, token="wrong-token-0123")
    with (
        structlog.testing.capture_logs() as logs,
        pytest.raises(LightCurveUnavailableError, match="lsst_token") as caught,
    ):
        api.fetch(OBJECT, "1")
    assert len(lasair.asked) == 1
    assert "wrong-token-0123" not in f"{caught.value}{api!r}{logs}"


def test_the_token_follows_no_redirection(lasair, api):
    lasair.failures = [302] * 3
    with pytest.raises(LightCurveUnavailableError, match="302"):
        api.fetch(OBJECT, "1")
    assert len(lasair.asked) == 3


def test_a_row_becomes_an_alert_with_the_servers_light_curve(api):
    [alert] = decode_batch(
        [row(diaObjectId=LSST_ID, lastDiaSourceMjdTai=tai(60975.2))], {"lsst": api}
    )
    assert (alert.mjd, alert.curve.mjd.tolist(), alert.decline) == (60975.2, [60975.2], None)


def test_only_a_lasair_with_a_token_is_asked():
    assert set(object_apis()) == set()
    assert set(object_apis("a")) == {"lsst"}
    assert set(object_apis("a", "b")) == {"lsst", "ztf"}
