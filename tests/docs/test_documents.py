"""README and documentation: console and Python blocks run, links lead to files, no warnings."""

import contextlib
import doctest
import functools
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

import broker_classifier
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.demo.simulate.example_night import write_example_night
from broker_classifier.service.loop import run
from broker_classifier.streams.embedded_kafka import embedded_kafka
from broker_classifier.streams.files import FileSource
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.subscribe import subscribe
from tests.kafka_sources import TOP
from tests.streets import ListSink, street

DOCUMENTS = [TOP / "README.md", *sorted((TOP / "docs").glob("[!_g]*/*.md")), TOP / "docs/index.md"]
BINARIES = Path(sys.executable).parent
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


class Output(io.StringIO):
    """What the Python blocks of a document print, until a text block compares it."""

    def taken(self) -> str:
        text = self.getvalue()
        self.truncate(0)
        self.seek(0)
        return text


def matches(expected: str, printed: str) -> bool:
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return checker.check_output(expected.strip() + "\n", printed.strip() + "\n", flags)


def evaluate_console(example: Example) -> str | None:
    """Run the commands of a block one after another, and compare what each prints."""
    for command in re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)[1:]:
        line, _, expected = command.partition("\n")
        ended = subprocess.run(
            line, shell=True, check=False, text=True, stdout=-1, stderr=subprocess.STDOUT
        )
        if ended.returncode or (expected.strip() and not matches(expected, ended.stdout)):
            return f"$ {line}\nexit status {ended.returncode}, printed:\n{ended.stdout}"
    return None


def evaluate_text(example: Example) -> str | None:
    """Compare a text block that follows a Python block with what the blocks before it printed."""
    printed = example.namespace["output"].taken()
    if printed and not matches(str(example.parsed), printed):
        return f"expected:\n{example.parsed}\nprinted:\n{printed}"
    return None


def parsed(path: Path) -> Document:
    parsers: list[Any] = [
        PythonCodeBlockParser(),
        CodeBlockParser("console", evaluate_console),
        CodeBlockParser("text", evaluate_text),
    ]
    return Sybil(parsers, patterns=["*.md"]).parse(path)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The answers of the example night, on the topic of an embedded Kafka."""
    night = tmp_path_factory.mktemp("documents") / "night"
    write_example_night(night)
    with embedded_kafka() as kafka:
        sink = ListSink()
        run(street(FileSource([night], "ztf", 500), sink), threading.Event())
        KafkaSink(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)).publish(sink.sent)
        yield kafka.bootstrap_servers


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_every_block_runs_and_prints_what_is_shown(path, published, tmp_path, monkeypatch):
    document = parsed(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{BINARIES}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    monkeypatch.setenv("BROKER_KAFKA__BOOTSTRAP_SERVERS", published)
    here = functools.partial(_subscribed_here, published)
    monkeypatch.setattr(broker_classifier, "subscribe", here, raising=False)
    document.namespace["output"] = output = Output()
    for example in document.examples():
        with contextlib.redirect_stdout(output):
            example.evaluate()


def _subscribed_here(bootstrap_servers, _address="", **wanted):
    return subscribe(bootstrap_servers, from_beginning=True, idle_timeout_s=2.0, **wanted)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_every_link_leads_to_a_file(path):
    generated = TOP / "docs" / "generated"
    links = [path.parent / link for link in LINK.findall(path.read_text())]
    gone = [link for link in links if not link.exists() and generated not in link.resolve().parents]
    assert gone == []


def test_the_documentation_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "--keep-going", "docs", str(tmp_path)]
    ended = subprocess.run(command, cwd=TOP, check=False, capture_output=True, text=True)
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert len(list(tmp_path.rglob("*.html"))) > len(DOCUMENTS)


def test_the_readme_is_one_page():
    assert len((TOP / "README.md").read_text().splitlines()) <= 120
