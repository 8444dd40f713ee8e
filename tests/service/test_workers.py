"""The supervisor of many workers, without a Kafka."""

import platform
import sys
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker_classifier.config import Settings
from broker_classifier.errors import ConfigError
from broker_classifier.service import workers as module
from broker_classifier.service.workers import (
    WorkerProcess,
    end,
    labelled,
    look_after,
    own_name,
    supervise,
)
from tests.kafka_streets import wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def worker(*code):
    return WorkerProcess(0, 1, [sys.executable, "-c", *code] if code else SLEEPER, {})


def test_the_embedded_store_is_for_one_worker_and_says_what_to_do():
    with pytest.raises(ConfigError, match=r"for one worker.*valkey://"):
        supervise(Settings(), 2, threading.Event(), {})


def test_a_worker_that_dies_is_started_again(monkeypatch):
    monkeypatch.setattr(module, "RESTARTED_AT_MOST_EVERY_S", 0.0)
    sleeper = worker()
    sleeper.start()
    first = sleeper.process
    first.kill()
    first.wait()
    assert look_after(sleeper) is None
    assert sleeper.process.pid != first.pid
    assert sleeper.process.poll() is None
    end([sleeper])
    assert sleeper.process.poll() is not None


def test_a_worker_that_cannot_start_as_asked_ends_all():
    wrong = worker("raise SystemExit(2)")
    wrong.start()
    wait_until(lambda: wrong.process.poll() is not None, "its end")
    assert look_after(wrong) == 2


def test_workers_under_a_name_of_the_settings_are_numbered():
    named = Settings(kafka={"worker": "host"})
    with own_name(named.kafka, 1) as name:
        assert name == "host-1"


def test_workers_without_a_name_in_the_settings_get_different_ones(unique):
    kafka = Settings(kafka={"group_id": unique}).kafka
    with own_name(kafka, 0) as first, own_name(kafka, 1) as second:
        assert {first, second} == {f"{platform.node()}-{number}" for number in (0, 1)}


def test_the_metrics_of_all_workers_are_one_page_of_prometheus():
    text = '# HELP n_total How many.\n# TYPE n_total counter\nn_total{of="a,b"} 3.0\n'
    (family,) = text_string_to_metric_families(labelled([text, "", text]))
    samples = {sample.labels["worker"]: sample.value for sample in family.samples}
    assert samples == {"0": 3.0, "2": 3.0}
    assert {sample.labels["of"] for sample in family.samples} == {"a,b"}


def test_a_worker_that_does_not_answer_is_unwell():
    status, text = module.answer_of_all([worker()], "/health")
    assert (status, text) == (503, "worker 0: it does not answer\n")
