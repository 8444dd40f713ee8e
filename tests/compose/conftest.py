"""A Docker engine for the compose test, and the project of docker-compose.yml run on it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.kafka_sources import TOP, has_docker, output_of
from tests.ports import free_port

WITH_DOCKER = TOP.parent / "shared" / "tools" / "with-docker"
ADVICE = "no Docker engine with `docker compose` answers: install one to run the compose test"
# Runs beside the engine until its input closes, and says how to reach it.
REPORT = 'echo "$DOCKER_HOST|$DOCKER_CONFIG"; cat >/dev/null'


@dataclass(frozen=True)
class Project:
    """docker-compose.yml under a name and on ports of its own.

    Attributes
    ----------
    compose : callable
        Runs one `docker compose` command and returns what it printed.
    docker : callable
        The same for `docker`.
    """

    compose: Callable[..., str]
    docker: Callable[..., str]
    bootstrap_servers: str
    metrics_url: str
    page_url: str


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which `docker` reaches an engine; skips where there is none."""
    if not (WITH_DOCKER.exists() and os.geteuid() == 0):
        if not (has_docker() and output_of(["docker", "compose", "version"])):
            pytest.skip(ADVICE)
        yield dict(os.environ)
        return
    log = tmp_path_factory.mktemp("with-docker") / "log"
    command = [str(WITH_DOCKER), "sh", "-c", REPORT]
    with (
        log.open("w") as errors,
        Popen(command, cwd=TOP, stdin=PIPE, stdout=PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        host, _, config = process.stdout.readline().strip().partition("|")
        if not config:
            pytest.skip(f"{ADVICE} ({last_line(log)})")
        reach = {"DOCKER_CONFIG": config} | ({"DOCKER_HOST": host} if host else {})
        yield os.environ | reach
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


@pytest.fixture(scope="session")
def project(engine: dict[str, str]) -> Iterator[Project]:
    """Kafka and the classifier, up and healthy; gone with their volumes afterwards."""
    kafka_port, metrics_port, web_port = free_port(), free_port(), free_port()
    name = f"broker-classifier-test-{os.getpid()}"
    ports = {"KAFKA_PORT": str(kafka_port), "METRICS_PORT": str(metrics_port)}
    ports |= {"WEB_PORT": str(web_port)}
    environment = engine | ports | {"COMPOSE_PROJECT_NAME": name, "REPLAY_RATE": "60"}
    started = Project(
        compose=runner(["docker", "compose"], environment),
        docker=runner(["docker"], environment),
        bootstrap_servers=f"127.0.0.1:{kafka_port}",
        metrics_url=f"http://127.0.0.1:{metrics_port}",
        page_url=f"http://127.0.0.1:{web_port}",
    )
    try:
        started.compose("up", "--build", "--detach", "--wait")
        yield started
    finally:
        started.compose("--profile", "demo", "down", "--volumes", "--timeout", "30")


def runner(command: list[str], environment: dict[str, str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        ended = subprocess.run(
            [*command, *arguments],
            cwd=TOP,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert ended.returncode == 0, f"{arguments}: {ended.stdout[-3000:]}{ended.stderr[-6000:]}"
        return ended.stdout.strip()

    return run


def last_line(log: Path) -> str:
    return (log.read_text().strip().splitlines() or ["it said nothing"])[-1]
