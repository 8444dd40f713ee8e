"""A real Prometheus scrapes the service and finds that its books balance."""

import json
import subprocess
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from broker_classifier.service.metrics import Metrics, serve_metrics
from broker_classifier.service.triage import Outcome
from tests.kafka_streets import wait_until
from tests.ports import free_port
from tests.tools import program


@pytest.fixture
def metrics_port():
    metrics = Metrics()
    metrics.count_batch({Outcome.CLASSIFIED: 40, Outcome.DECLINED: 2}, 0.1)
    metrics.count_objects(7)
    metrics.count_declined("no_usable_points")
    metrics.count_latencies(since_kafka_s=[0.02], since_observation_s=[200.0])
    server = serve_metrics(metrics, "127.0.0.1", 0)
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def prometheus(folder, target_port):
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {"job_name": "broker", "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    command = [
        program("prometheus", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def asked(url, query):
    encoded = urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{encoded}", timeout=5) as answer:
            results = json.load(answer)["data"]["result"]
    except OSError:
        return None
    return {row["metric"].get("outcome", ""): float(row["value"][1]) for row in results}


def test_a_real_prometheus_finds_that_received_is_the_sum_of_the_outcomes(metrics_port, tmp_path):
    with prometheus(tmp_path, metrics_port) as url:
        by_outcome = wait_until(lambda: asked(url, "broker_alerts_total"), "a first scrape")
        assert by_outcome == dict.fromkeys(map(str, Outcome), 0.0) | {
            "classified": 40.0,
            "declined": 2.0,
        }
        assert asked(url, "sum(broker_alerts_received_total) - sum(broker_alerts_total)") == {
            "": 0.0
        }
        quantile = "histogram_quantile(0.5, broker_kafka_latency_seconds_bucket)"
        assert 0.01 < asked(url, quantile)[""] <= 0.025


def test_promtool_finds_nothing_wrong_with_the_metrics(metrics_port):
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics") as answer:
        exposed = answer.read()
    command = [program("promtool", "prometheus"), "check", "metrics"]
    checked = subprocess.run(command, input=exposed, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
