"""What people import from the package: these names, and with each no more than it needs."""

import subprocess
import sys

import pytest

import broker_classifier
from tests.kafka_sources import TOP

NAMES = [
    "LightCurve",
    "light_curve",
    "light_curve_from_magnitudes",
    "read_alerts",
    "Alert",
    "load_bundle",
    "Bundle",
    "classify",
    "Classification",
    "subscribe",
    "ClassificationMessage",
    "BrokerError",
]
HEAVY = ["numpy", "numba", "torch", "pydantic", "confluent_kafka", "lmdb", "fastavro", "cramjam"]
IMPORTS = {
    "import broker_classifier": [],
    "from broker_classifier import BrokerError": [],
    "from broker_classifier import light_curve, LightCurve": ["numpy", "numba"],
    "from broker_classifier import subscribe, ClassificationMessage": [
        "pydantic",
        "confluent_kafka",
    ],
    "from broker_classifier import read_alerts, Alert": [
        "numpy",
        "numba",
        "pydantic",
        "fastavro",
        "cramjam",
    ],
    "from broker_classifier import classify, load_bundle, Bundle, Classification": [
        "numpy",
        "numba",
        "torch",
        "pydantic",
    ],
}


def test_these_names_are_exported():
    assert broker_classifier.__all__ == NAMES
    assert set(NAMES) <= set(dir(broker_classifier))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented_and_can_be_called(name):
    thing = getattr(broker_classifier, name)
    assert callable(thing)
    assert thing.__doc__


def test_another_name_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        broker_classifier.nonsense  # noqa: B018


@pytest.mark.parametrize("statement", IMPORTS)
def test_an_import_loads_no_more_than_it_needs(statement):
    program = f"{statement}\nimport sys\nprint(*[m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == IMPORTS[statement]


def test_training_has_its_verbs_at_the_door(tmp_path):
    program = (
        "import broker_classifier.training, sys\n"
        "assert 'numpy' not in sys.modules\n"
        "from broker_classifier.training.evaluate import evaluate as function\n"
        "from broker_classifier.training import train, evaluate\n"
        "from inspect import signature\n"
        "assert callable(train) and signature(evaluate) == signature(function)\n"
        f"evaluate('ztf-transients', 'nowhere', {str(tmp_path)!r})\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert "DataError: nowhere" in run.stderr


def test_a_library_logs_to_pythons_logging_and_never_to_standard_output():
    program = (
        "import logging, broker_classifier\n"
        "from broker_classifier.errors import OutputUnavailableError\n"
        "from broker_classifier.streams.kafka_clients import log\n"
        "log.warning('kafka is away', address='here')\n"
        "try: next(broker_classifier.subscribe('127.0.0.1:1'))\n"
        "except OutputUnavailableError: pass\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stdout == ""
    assert "event='kafka is away' address='here'" in ended.stderr
