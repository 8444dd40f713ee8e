"""Metrics and health over HTTP."""

import re
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker_classifier.errors import ConfigError
from broker_classifier.service.metrics import HEALTHY_S, Metrics, serve_metrics
from broker_classifier.service.triage import Outcome


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def url(metrics):
    server = serve_metrics(metrics, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def test_received_is_the_sum_of_the_outcomes(metrics, url):
    metrics.count_batch({Outcome.CLASSIFIED: 5, Outcome.DUPLICATE: 2}, 0.1)
    families = {
        family.name: family for family in text_string_to_metric_families(get(f"{url}/metrics"))
    }
    outcomes = {
        s.labels["outcome"]: s.value
        for s in families["broker_alerts"].samples
        if s.name.endswith("_total")
    }
    [received] = [
        s.value for s in families["broker_alerts_received"].samples if s.name.endswith("_total")
    ]
    assert outcomes == {**dict.fromkeys(map(str, Outcome), 0), "classified": 5, "duplicate": 2}
    assert received == 7 == sum(outcomes.values())


def test_a_clock_that_was_set_back_takes_nothing_from_the_latencies(metrics, url):
    metrics.count_latencies(since_kafka_s=[0.5, -3600.0], since_observation_s=[-3600.0])
    text = get(f"{url}/metrics")
    assert "broker_kafka_latency_seconds_sum 0.5\n" in text
    assert "broker_latency_seconds_sum 0.0\n" in text


def test_latencies_are_histograms(metrics, url):
    metrics.count_latencies(since_kafka_s=[0.02], since_observation_s=[200.0, 200.0])
    text = get(f"{url}/metrics")
    assert 'broker_kafka_latency_seconds_bucket{le="0.01"} 0.0' in text
    assert 'broker_kafka_latency_seconds_bucket{le="0.025"} 1.0' in text
    assert 'broker_latency_seconds_bucket{le="300.0"} 2.0' in text


def test_health_is_503_while_something_is_waited_for(metrics, url):
    assert get(f"{url}/health") == "ok\n"
    metrics.beat("store", "it is full")
    with pytest.raises(urllib.error.HTTPError, match="503") as raised:
        get(f"{url}/health")
    sentence = raised.value.read().decode()
    assert re.fullmatch(r"waiting for the store since 20\S+: it is full\n", sentence)
    raised.value.close()
    metrics.beat()
    assert get(f"{url}/health") == "ok\n"


def test_a_silent_loop_is_unhealthy(metrics, monkeypatch):
    now = metrics._last_beat + HEALTHY_S + 1
    monkeypatch.setattr("broker_classifier.service.metrics.time.monotonic", lambda: now)
    assert metrics.health() == (False, "the loop has been silent for 301 s")


def test_a_taken_port_is_named(url):
    port = int(url.rpartition(":")[2])
    with pytest.raises(ConfigError, match=rf"{port}.*metrics\.port"):
        serve_metrics(Metrics(), "127.0.0.1", port)


def test_an_idle_connection_holds_up_neither_health_nor_the_end(metrics):
    server = serve_metrics(metrics, "127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", server.server_port)):
        assert get(f"http://127.0.0.1:{server.server_port}/health") == "ok\n"
        server.shutdown()
    server.server_close()
