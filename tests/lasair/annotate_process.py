"""`broker-classifier annotate` as a process of its own, to stop and to kill."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import Producer

from tests.kafka_streets import TOP, WAIT_S, wait_until
from tests.lasair.fake_lasair import FakeLasair

TOKENS = {"ztf": "ztf-secret-0123456789", "lsst": "lsst-secret-9876543210"}
TOPICS = {"ztf": "ztf_topic", "lsst": "lsst_topic"}


class Annotating:
    """The command, on a topic of its own, and the Lasairs that it annotates."""

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        folder: Path,
        lasairs: Iterable[FakeLasair],
        **variables: str,
    ) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 0})
        self.topic = topic
        self.environment = {
            "no_proxy": "*",
            "BROKER_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "BROKER_KAFKA__OUTPUT_TOPIC": topic,
            "BROKER_KAFKA__RETRY_DELAY_S": "0.2",
            "BROKER_ANNOTATE__OUTBOX": str(folder / "outbox.sqlite"),
            "BROKER_ANNOTATE__PORT": "0",
        }
        for lasair in lasairs:
            name = lasair.survey.upper()
            lasair.add_annotator(TOPICS[lasair.survey], TOKENS[lasair.survey])
            (folder / name).write_text(f"{TOKENS[lasair.survey]}\n")
            self.environment |= {
                f"BROKER_LASAIR__{name}_ENDPOINT": lasair.url,
                f"BROKER_ANNOTATE__{name}__TOPIC": TOPICS[lasair.survey],
                f"BROKER_ANNOTATE__{name}__TOKEN_FILE": str(folder / name),
                f"BROKER_ANNOTATE__{name}__CALLS_PER_HOUR": str(lasair.calls_per_hour),
            }
        self.environment |= variables
        self._log = folder / "annotate.log"
        self._process: subprocess.Popen[bytes] | None = None

    def publish(self, values: Iterable[bytes], key: str = "") -> None:
        for value in values:
            self._producer.produce(self.topic, value, key=key or None)
        assert self._producer.flush(WAIT_S) == 0

    def start(self) -> None:
        command = [sys.executable, "-m", "broker_classifier.cli", "annotate"]
        seen = len(self.log())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=TOP, env=os.environ | self.environment, stderr=log
            )
        wait_until(lambda: '"annotating"' in self.log()[seen:] or self._ended(), "the annotator")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(WAIT_S)

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(WAIT_S)

    def exit_code(self) -> int:
        assert self._process is not None
        return self._process.wait(WAIT_S)

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def page(self, path: str) -> tuple[int, str]:
        [url] = re.findall(r"http://[\w.]+:\d+", self.log())[-1:]
        try:
            with urllib.request.urlopen(f"{url}/{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the program beside it."""
        return subprocess.run(
            [sys.executable, "-m", "broker_classifier.cli", *arguments],
            cwd=TOP,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S,
        )

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None
