"""Classifying a light curve needs no stream, no store and no service."""

import subprocess
import sys

import pytest

OF_THE_STREET = {"confluent_kafka", "lmdb", "fastavro", "structlog", "prometheus_client"}


@pytest.mark.parametrize(
    "statement",
    [
        "from broker_classifier.model.classify import classify",
        "from broker_classifier.model.bundle import load_bundle",
    ],
)
def test_what_classifies_loads_neither_kafka_nor_a_store_nor_a_decoder(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = ran.stdout.split()
    assert "broker_classifier.model.bundle" in loaded
    assert OF_THE_STREET & {name.partition(".")[0] for name in loaded} == set()
