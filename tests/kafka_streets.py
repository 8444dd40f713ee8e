"""The service as a process of its own on a broker, and what independent clients see of it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

WAIT_S = 60.0
TOP = Path(__file__).parent.parent


def send(bootstrap_servers: str, topic: str, packets: Iterable[bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap_servers})
    for packet in packets:
        producer.produce(topic, packet)
    assert producer.flush(WAIT_S) == 0


def wait_until(condition, what: str, timeout_s: float = WAIT_S):
    """Return the first true value of `condition()`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {timeout_s:.0f} s for {what}")


class Service:
    """`broker-classifier serve` as a child process, on topics of its own."""

    program: tuple[str, ...] = (sys.executable, "-m", "broker_classifier.cli")
    cwd = TOP

    def __init__(
        self, bootstrap_servers: str, word: str, folder: Path, *options: str, **variables: str
    ) -> None:
        self.options = options
        self.bootstrap_servers = bootstrap_servers
        self.input, self.output = f"ztf_{word}", f"classifications-{word}"
        self.dead_letters = f"dead-letters-{word}"
        self.environment = {
            "BROKER_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "BROKER_KAFKA__GROUP_ID": f"group-{word}",
            "BROKER_KAFKA__OUTPUT_TOPIC": self.output,
            "BROKER_KAFKA__DEAD_LETTER_TOPIC": self.dead_letters,
            "BROKER_KAFKA__RETRY_DELAY_S": "0.2",
            "BROKER_KAFKA__DELIVERY_TIMEOUT_S": "3",
            "BROKER_KAFKA__CLIENT": '{"session.timeout.ms": 6000}',
            "BROKER_SURVEYS__ZTF__TOPICS": json.dumps([self.input]),
            "BROKER_STORE__PATH": str(folder / "store"),
            "BROKER_METRICS__PORT": "0",
        } | variables
        self._log, self._log_begins = folder / "service.log", 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command, environment = (
            [*self.program, "serve", *self.options],
            os.environ | self.environment,
        )
        self._log_begins = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.cwd, env=environment, stderr=log)
        wait_until(lambda: '"serving"' in self.log(), "serving")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(WAIT_S)

    def stop(self) -> int:
        """Ask it to stop as Docker does; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(WAIT_S)

    def log(self) -> str:
        """What it has logged since it was started last; the file has all of it."""
        if not self._log.exists():
            return ""
        return self._log.read_bytes()[self._log_begins :].decode(errors="replace")

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(self.url("/metrics")) as answer:
            lines = answer.read().decode().splitlines()
        samples = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in samples}

    def url(self, path: str) -> str:
        [base] = re.findall(r"(http://[\d.:]+)/metrics", self.log())
        return f"{base}{path}"

    def accounting(self) -> dict[str, int]:
        counts = self.metrics()
        outcomes = ["classified", "declined", "duplicate", "withdrawn", "dead_lettered"]
        return {"received": int(counts["broker_alerts_received_total"])} | {
            outcome: int(counts[f'broker_alerts_total{{outcome="{outcome}"}}'])
            for outcome in outcomes
        }

    def wait_for(self, received: int) -> dict[str, int]:
        def all_received() -> dict[str, int] | None:
            so_far = self.accounting()
            return so_far if so_far["received"] >= received else None

        accounting: dict[str, int] = wait_until(
            all_received, f"{received} alerts: {self.log()[-3000:]}"
        )
        return accounting


@contextmanager
def service(
    bootstrap_servers: str, word: str, folder: Path, *options: str, **variables: str
) -> Iterator[Service]:
    worker = Service(bootstrap_servers, word, folder, *options, **variables)
    try:
        worker.start()
        yield worker
    finally:
        worker.kill()


@contextmanager
def services(
    n_workers: int, bootstrap_servers: str, word: str, folder: Path, **variables: str
) -> Iterator[list[Service]]:
    """Run so many workers of one group, each with a name and a folder of its own."""
    with ExitStack() as stack:
        started = []
        for number in range(n_workers):
            own = folder / str(number)
            own.mkdir()
            named = {"BROKER_KAFKA__WORKER": f"{word}-{number}"} | variables
            started.append(stack.enter_context(service(bootstrap_servers, word, own, **named)))
        yield started


def read_topic(bootstrap_servers: str, topic: str, n_messages: int, timeout_s: float = WAIT_S):
    """Read a topic from its beginning with aiokafka until it has given so many messages.

    What a transaction aborted is not among them.
    """

    async def read():
        loop = asyncio.get_running_loop()
        messages, deadline = [], loop.time() + timeout_s
        async with AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap_servers,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        ) as consumer:
            while len(messages) < n_messages and loop.time() < deadline:
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    messages.extend(batch)
        return messages

    return asyncio.run(read())
