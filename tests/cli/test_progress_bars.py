"""Progress on a terminal, and in a pipe not a byte of it."""

import json
import subprocess
import sys

import pytest

from tests.cli.terminal import on_terminal
from tests.kafka_sources import TOP
from tests.ztf_packets import flare

PROGRAM = [sys.executable, "-m", "broker_classifier.cli"]
COUNTING = """
from broker_classifier.cli.progress_bars import progress_bars
with progress_bars("counting") as track:
    for n in track(range(3), "numbers"):
        print("number", n)
    for n in track(iter("ab"), "letters"):
        pass
print("done")
"""
COUNT = [sys.executable, "-c", COUNTING]
PRINTED = ["number 0", "number 1", "number 2", "done"]


@pytest.fixture
def night(tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    for i, packet in enumerate(flare("ZTF1", n=5)):
        (folder / f"{i}.avro").write_bytes(packet)
    return folder


def test_a_terminal_shows_what_is_done_and_how_much_of_it():
    code, shown = on_terminal(COUNT, cwd=TOP)
    assert code == 0
    assert "counting" in shown
    assert "numbers" in shown
    assert "0 of 3" in shown
    assert "letters" in shown
    assert [line for line in PRINTED if line not in shown] == []


def test_what_is_printed_meanwhile_goes_to_a_file_whole(tmp_path):
    _, shown = on_terminal(COUNT, stdout=tmp_path / "printed", cwd=TOP)
    assert (tmp_path / "printed").read_text().splitlines() == PRINTED
    assert "0 of 3" in shown


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}])
def test_a_pipe_gets_what_is_printed_and_nothing_else(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = subprocess.run(COUNT, capture_output=True, text=True, cwd=TOP, check=True)
    assert ended.stdout.splitlines() == PRINTED
    assert ended.stderr == ""


def test_classify_counts_alerts_on_a_terminal(night, tmp_path):
    command = [*PROGRAM, "classify", str(night), "--output", str(tmp_path / "night.jsonl")]
    code, shown = on_terminal(command, stdout=tmp_path / "counts", cwd=TOP)
    assert code == 0
    assert "classifying" in shown
    assert "alerts" in shown
    assert json.loads((tmp_path / "counts").read_text())["classified"] == 5


def test_subscribe_says_that_it_waits(session_embedded_kafka, unique):
    server = ["--bootstrap-servers", session_embedded_kafka.bootstrap_servers, "--topic", unique]
    session_embedded_kafka.create_topic(unique, 1)
    code, shown = on_terminal([*PROGRAM, "subscribe", *server, "--idle-timeout", "1"], cwd=TOP)
    assert code == 0
    assert "0 classifications, waiting for more" in shown
