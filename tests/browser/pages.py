"""`broker-classifier web` as a process of its own, what is published for it, and a browser."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Page as Tab

from tests.kafka_streets import TOP, wait_until
from tests.tools import program
from tests.web.published_messages import encoded

SCREENSHOTS = TOP / "screenshots"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Served:
    """A page on a port of its own; `port` stays when it is started again."""

    def __init__(self, bootstrap_servers: str, topic: str, folder: Path, **variables: str) -> None:
        self.bootstrap_servers, self.topic = bootstrap_servers, topic
        self._log = folder / "page.log"
        self._variables = {
            "BROKER_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "BROKER_KAFKA__OUTPUT_TOPIC": topic,
            "BROKER_WEB__INDEX": str(folder / "index.sqlite"),
            "BROKER_WEB__SERVICES": "[]",
            "BROKER_WEB__REQUESTS_PER_S": "1000",
        } | variables
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        command = [sys.executable, "-m", "broker_classifier.cli", "web", "--port", str(self.port)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=TOP, env=os.environ | self._variables, stderr=log
            )
        served = re.compile(rb'"address": "http://127.0.0.1:(\d+)/"')
        wait_until(lambda: served.search(self._log.read_bytes()), "the page to be served")
        self.port = int(served.findall(self._log.read_bytes())[0])

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def address(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.address(path), timeout=10) as answer:
            return json.load(answer)

    def publish(self, messages: Iterable[dict[str, Any]]) -> int:
        """Publish messages; return when all are in the index."""
        n_before, n = self.n_answers(), 0
        producer = Producer({"bootstrap.servers": self.bootstrap_servers})
        for n, message in enumerate(messages, start=1):
            producer.produce(self.topic, encoded(message), key=message["object_id"].encode())
        assert producer.flush(30) == 0
        wait_until(lambda: self.n_answers() >= n_before + n, f"{n} answers in the index")
        return n

    def n_answers(self) -> int:
        return int(self.ask("/api/health")["page"]["seq"])


def chromium(playwright: Playwright) -> Browser:
    path = program("chromium", "chromium")
    return playwright.chromium.launch(executable_path=path, args=QUIET, headless=True)


def keep(tab: Tab, name: str) -> None:
    """Keep a screenshot, to be looked at after the run."""
    SCREENSHOTS.mkdir(exist_ok=True)
    tab.screenshot(path=SCREENSHOTS / f"{name}.png")


def wait_for_text(tab: Tab, selector: str, text: str) -> None:
    tab.locator(selector).filter(has_text=text).first.wait_for(timeout=20_000)
