"""The real service, `broker-classifier serve`, as a child process of the demo."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from broker_classifier.config import PREFIX
from broker_classifier.errors import SetupError

LOG_FILE = "service.log"
_STOP_TIMEOUT_S = 20.0
_SCRAPE_TIMEOUT_S = 2.0
_METRICS_URL = re.compile(r"http://[\w.]+:\d+/metrics")
_SHOWN_LOG_LINES = 8


class Accounting(NamedTuple):
    """What the service says of itself.

    Attributes
    ----------
    totals : dict of str to int
        "received" and every outcome.
    declined : dict of str to int
        Declined alerts by reason.
    """

    totals: dict[str, int]
    declined: dict[str, int]


class ServiceProcess:
    """A running service; open it with `running_service`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._url: str | None = None

    def accounting(self) -> Accounting | None:
        """Read the accounting from its /metrics; None while it still starts.

        Raises
        ------
        SetupError
            If the process has ended.
        """
        if self._process.poll() is not None:
            raise SetupError(self._why_it_ended())
        self._url = self._url or self._announced_url()
        if self._url is None:
            return None
        try:
            with urllib.request.urlopen(self._url, timeout=_SCRAPE_TIMEOUT_S) as page:
                return accounting(page.read().decode())
        except (urllib.error.URLError, TimeoutError):
            return None

    @property
    def address(self) -> str | None:
        """Where its /metrics and /health are; None while it still starts."""
        url = self._url or self._announced_url()
        return url.removesuffix("/metrics") if url else None

    def _announced_url(self) -> str | None:
        announced = _METRICS_URL.search(self._log.read_text("utf-8", "replace"))
        return announced[0] if announced else None

    def _why_it_ended(self) -> str:
        last_lines = self._log.read_text("utf-8", "replace").splitlines()[-_SHOWN_LOG_LINES:]
        code = self._process.returncode
        return f"the service ended with exit code {code}; {self._log} ends:\n" + "\n".join(
            last_lines
        )


@contextmanager
def running_service(
    bootstrap_servers: str, topics: Sequence[str], folder: Path
) -> Iterator[ServiceProcess]:
    """Run `serve` with its store and log in `folder`; stop it by SIGTERM at the end."""
    command = [sys.executable, "-m", "broker_classifier.cli", "serve"]
    log, environment = folder / LOG_FILE, _environment(bootstrap_servers, topics, folder)
    with child_process(command, environment, log) as process:
        yield ServiceProcess(process, log)


@contextmanager
def child_process(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that writes into a log; stop it by SIGTERM at the end."""
    with log.open("wb") as log_file:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def accounting(metrics_page: str) -> Accounting:
    """Pick what was received, every outcome and every reason out of a Prometheus page.

    >>> accounting('broker_alerts_total{outcome="declined"} 1.0').totals
    {'declined': 1}
    """
    totals, declined = {}, {}
    for family in text_string_to_metric_families(metrics_page):
        for sample in family.samples:
            if sample.name == "broker_alerts_received_total":
                totals["received"] = int(sample.value)
            elif sample.name == "broker_alerts_total":
                totals[sample.labels["outcome"]] = int(sample.value)
            elif sample.name == "broker_alerts_declined_reason_total":
                declined[sample.labels["reason"]] = int(sample.value)
    return Accounting(totals, declined)


def clean_environment() -> dict[str, str]:
    """Return the environment without the user's own BROKER_* settings: they stay out of a demo."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _environment(bootstrap_servers: str, topics: Sequence[str], folder: Path) -> dict[str, str]:
    quoted = ", ".join(f'"{topic}"' for topic in topics)
    return clean_environment() | {
        "BROKER_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
        "BROKER_SURVEYS": f'{{"ztf": {{"topics": [{quoted}]}}}}',
        "BROKER_STORE__PATH": str(folder / "light-curves"),
        "BROKER_METRICS__PORT": "0",
        "OMP_NUM_THREADS": "1",
    }
