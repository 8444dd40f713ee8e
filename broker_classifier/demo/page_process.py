"""The real page, `broker-classifier web`, as a child process of the demo."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker_classifier.demo.service_process import child_process, clean_environment

LOG_FILE = "page.log"
_ADDRESS = re.compile(r"http://[\w.]+:\d+/")


class PageProcess:
    """A running page; open it with `running_page`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._address: str | None = None

    def address(self) -> str | None:
        """Return where the page is served; None while it starts, or if it could not."""
        if self._address is None:
            served = _ADDRESS.search(self._log.read_text("utf-8", "replace"))
            self._address = served[0] if served else None
        return self._address if self._process.poll() is None else None


@contextmanager
def running_page(
    bootstrap_servers: str, folder: Path, service: str | None
) -> Iterator[PageProcess]:
    """Serve the page of a Kafka and a service on a free port; stop it at the end."""
    log = folder / LOG_FILE
    environment = clean_environment() | {
        "BROKER_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
        "BROKER_WEB__INDEX": str(folder / "page-index.sqlite"),
        "BROKER_WEB__PORT": "0",
        "BROKER_WEB__SERVICES": f'["{service}"]' if service else "[]",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "broker_classifier.cli", "web"]
    with child_process(command, environment, log) as process:
        yield PageProcess(process, log)
