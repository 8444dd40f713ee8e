"""The health page's figures are the service's own, and its sentence says whether all is well."""

import pytest
from prometheus_client import generate_latest

from broker_classifier.service.metrics import Metrics, serve_metrics
from broker_classifier.service.triage import Outcome
from broker_classifier.web.server.service_health import figures_of, sentence_of, service_health


@pytest.fixture
def metrics():
    counted = Metrics()
    counted.count_batch({Outcome.CLASSIFIED: 7, Outcome.DECLINED: 2, Outcome.DEAD_LETTERED: 1}, 0.1)
    counted.count_objects(5)
    counted.count_declined("no_usable_point")
    counted.count_dead_letter("DecodeError")
    counted.count_latencies([0.003] * 90 + [0.2] * 10, [30.0] * 100)
    counted.beat()
    return counted


def test_the_figures_are_those_of_the_service(metrics):
    figures = figures_of(generate_latest(metrics.registry).decode())
    assert figures["received"] == 10
    assert figures["outcomes"]["classified"] == 7
    assert figures["unaccounted"] == 0
    assert figures["declined"] == {"no_usable_point": 1}
    assert figures["dead_letters"] == {"DecodeError": 1}
    assert figures["objects"] == 5
    assert figures["lag"] is None
    metrics.note_inputs({"ztf": True, "lsst": True}, {"ztf": 3, "lsst": 4})
    assert figures_of(generate_latest(metrics.registry).decode())["lag"] == 7
    assert figures["latency"]["0.5"] < 0.005 < 0.1 < figures["latency"]["0.99"] <= 0.25


def test_a_running_service_is_read_over_http(metrics):
    server = serve_metrics(metrics, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        assert service_health(address)["sentence"].startswith("All is well: each of 10 alerts")
        metrics.beat("store", "it is full")
        health = service_health(address)
        assert not health["is_well"]
        assert health["sentence"].startswith("Not well: waiting for the store since 20")
        assert health["sentence"].endswith(": it is full.")
    finally:
        server.shutdown()
        server.server_close()


def test_alerts_that_are_missing_are_not_well():
    figures = {"received": 10, "unaccounted": 2, "outcomes": {}}
    assert sentence_of(True, "ok", figures) == "Not well: 2 of 10 alerts are not accounted for."


def test_an_address_that_is_no_http_is_not_opened(tmp_path):
    assert "correct web.services" in service_health(f"file://{tmp_path}")["sentence"]
