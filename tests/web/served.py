"""`broker-classifier web` as a process of its own, and what is published for it."""

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

from tests.kafka_streets import TOP, wait_until
from tests.web.published_messages import encoded


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
                command,
                cwd=TOP,
                env=os.environ | self._variables,
                stdout=subprocess.DEVNULL,
                stderr=log,
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

    def publish(self, messages: Iterable[dict[str, Any]], n_good: int | None = None) -> None:
        """Publish messages; return when all are in the index, or as many as are good."""
        n_before = self.n_answers()
        producer = Producer({"bootstrap.servers": self.bootstrap_servers})
        sent = list(messages)
        for message in sent:
            producer.produce(self.topic, encoded(message), key=message["object_id"].encode())
        assert producer.flush(30) == 0
        n = n_before + (len(sent) if n_good is None else n_good)
        wait_until(lambda: self.n_answers() >= n, f"{n} answers in the index")

    def n_answers(self) -> int:
        return int(self.ask("/api/health")["page"]["seq"])
