"""A start does not compile what an earlier one has, wherever the program may write."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import broker_classifier
from broker_classifier.surveys import ztf
from broker_classifier.surveys.warm import warm

SOURCE = Path(broker_classifier.__file__).parent


def run_warm(cwd, **variables):
    command = [sys.executable, "-m", "broker_classifier.surveys.warm"]
    environment = os.environ | {key: str(value) for key, value in variables.items()}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )


def test_warming_reads_the_packet_both_ways():
    assert [(alert.object_id, len(alert.curve)) for alert in warm()] == [("Z", 1)] * 2


def test_a_second_start_compiles_nothing(tmp_path):
    run_warm(tmp_path, NUMBA_CACHE_DIR=tmp_path, PYTHONPATH=SOURCE.parent)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")}
    names = " ".join(path.name for path in kept)
    assert all(entry in names for entry in ("run", "record_begins", "sort_alerts"))
    run_warm(tmp_path, NUMBA_CACHE_DIR=tmp_path, PYTHONPATH=SOURCE.parent)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")} == kept


@pytest.mark.slow
def test_changed_sources_are_compiled_anew(tmp_path):
    copy = tmp_path / "broker_classifier"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    cache = tmp_path / "cache"
    run_warm(tmp_path, NUMBA_CACHE_DIR=cache, PYTHONPATH=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("run_programs.*.nbi")}
    kernel = copy / "surveys" / "avro" / "kernel.py"
    kernel.write_text(kernel.read_text() + "\n# changed\n")
    run_warm(tmp_path, NUMBA_CACHE_DIR=cache, PYTHONPATH=tmp_path)
    now = {path: path.stat().st_mtime_ns for path in cache.rglob("run_programs.*.nbi")}
    assert kept
    assert all(now[path] > kept[path] for path in kept)


def test_an_empty_batch_is_no_alerts():
    assert ztf.decoder()([]) == []
