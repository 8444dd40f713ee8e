"""The tables of the documentation say what `make bench` and `metrics.json` say."""

import importlib
import json

import pytest

from tests.bench.__main__ import machine
from tests.bench.figures import entry
from tests.kafka_sources import TOP


@pytest.fixture
def measured(monkeypatch):
    monkeypatch.syspath_prepend(TOP / "docs")
    return importlib.import_module("measured")


def test_a_figure_stands_once_beside_all_its_references(measured):
    figures = [
        {"benchmark": "decode"} | entry("decode ztf, whole message", [9.0, 8.0], "us", name, values)
        for name, values in (("fastavro", [900.0, 800.0]), ("cavro", [90.0, 40.0]))
    ]
    _, _, row = measured.speed(figures, ["decode"]).splitlines()
    assert row.startswith("| ztf, whole message | 8.5 µs | fastavro: 850, 0.01× (")
    assert "cavro: 65.0, 0.15× (0.1 to 0.2)" in row
    assert measured.speed(figures, ["kafka"]) == "Not measured.\n"


@pytest.mark.parametrize(("load", "is_busy"), [(1.0, False), (1.1, True)])
def test_the_page_says_when_the_machine_was_busy(measured, load, is_busy):
    about = measured.machine(machine() | {"cores": 2, "load": load})
    assert ("busy with other work" in about) == is_busy


def test_the_accuracy_of_every_bundle_is_that_of_its_metrics(measured):
    parts = measured.measured_parts()["accuracy.part"]
    files = sorted((TOP / "models").glob("*/metrics.json"))
    assert len(files) >= 4
    for path in files:
        groups = json.loads(path.read_text())["full"]["grouped"]
        [row] = [
            line for line in parts.splitlines() if line.startswith(f"| {path.parent.name} | test")
        ]
        assert f"| {groups['balanced_accuracy']:.2f} (" in row
