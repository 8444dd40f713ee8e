"""Many workers on one machine: processes under one supervisor, one metrics port, one exit."""

import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from broker_classifier.config import DELIMITER, PREFIX, Settings
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import ConfigError, OutputUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.service.open_kafka import (
    EXACTLY_ONCE,
    delivery_of,
    inputs_of,
    worker_name,
)
from broker_classifier.streams.health_server import serve_texts
from broker_classifier.streams.transactional_sink import end_open_transaction

SETUP_FAILED = 2  # the exit code of a worker that cannot start as it was asked to
LOOKED_AFTER_EVERY_S = 0.1
RESTARTED_AT_MOST_EVERY_S = 1.0
END_TIMEOUT_S = 30.0
SCRAPE_TIMEOUT_S = 2.0
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")

log = get_logger()


@dataclass
class WorkerProcess:
    """One worker: its number, the port of its metrics, and its process while it lives.

    Attributes
    ----------
    before_again : callable
        What is done between its death and its next start.
    """

    number: int
    port: int
    command: Sequence[str]
    environment: Mapping[str, str]
    before_again: Callable[[], None] = lambda: None
    started_at: float = field(default=0.0, init=False)
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Start the process."""
        self.started_at = time.monotonic()
        own = {f"{PREFIX}METRICS{DELIMITER}PORT": str(self.port)}
        own[f"{PREFIX}METRICS{DELIMITER}HOST"] = "127.0.0.1"
        self.process = subprocess.Popen(self.command, env={**self.environment, **own})

    def ask(self, path: str) -> tuple[int, str]:
        """Return the status and the text of one of the worker's pages; 503 where none answers."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=SCRAPE_TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 503, "it does not answer\n"


def supervise(
    settings: Settings,
    n_workers: int,
    stop: threading.Event,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
) -> int:
    """Run workers until `stop` is set, starting again what dies; return the exit code.

    Parameters
    ----------
    environment : mapping of str to str
        Of the workers.
    arguments : sequence of str
        What `serve` of each worker is given.

    Raises
    ------
    ConfigError
        If the store is one for a single worker.
    """
    if "://" not in settings.store.path and n_workers > 1:
        msg = (
            f"the store {settings.store.path} is for one worker; set store.path to a server that "
            "all share, such as valkey://localhost:6379/0"
        )
        raise ConfigError(msg)
    command = [sys.executable, "-m", "broker_classifier.cli", "serve", *arguments]
    with ExitStack() as stack:
        names = [stack.enter_context(own_name(settings.kafka, n)) for n in range(n_workers)]
        workers = [
            WorkerProcess(
                number,
                free_port(),
                command,
                {**environment, f"{PREFIX}KAFKA{DELIMITER}WORKER": name},
                partial(end_transaction, settings, name),
            )
            for number, name in enumerate(names)
        ]
        server = serve_texts(
            lambda path: answer_of_all(workers, path),
            settings.metrics.host,
            settings.metrics.port,
            "metrics.port",
        )
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        log.info("metrics", url=f"http://{settings.metrics.host}:{server.server_port}/metrics")
        return _looked_after(workers, stop)


def _looked_after(workers: Sequence[WorkerProcess], stop: threading.Event) -> int:
    """Run workers until `stop` is set or one cannot start; return the exit code."""
    try:
        for worker in workers:
            worker.start()
        while not stop.wait(LOOKED_AFTER_EVERY_S):
            for worker in workers:
                if look_after(worker) == SETUP_FAILED:
                    return SETUP_FAILED
        return 0
    finally:
        end(workers)


@contextmanager
def own_name(kafka: KafkaSettings, number: int) -> Iterator[str]:
    """Give a worker the name of the settings with its number, so that no two share one."""
    if kafka.worker:
        yield f"{kafka.worker}-{number}"
        return
    with worker_name(kafka) as name:
        yield name


def end_transaction(settings: Settings, worker: str) -> None:
    """Have Kafka abort the transaction that a worker had open when it died, if it had one.

    Until then the results that other workers commit are held back from readers, and nobody is told
    the offsets of the dead one's partitions. The worker does so itself, but seconds later.
    """
    try:
        if delivery_of(settings, inputs_of(settings)) == EXACTLY_ONCE:
            end_open_transaction(settings.kafka.output, worker)
    except OutputUnavailableError as error:
        log.warning("a transaction is left to the worker", worker=worker, reason=str(error))


def look_after(worker: WorkerProcess) -> int | None:
    """Start a worker again if it has died; return the exit code of one that cannot start."""
    if worker.process is None or (code := worker.process.poll()) is None:
        return None
    if code == SETUP_FAILED:
        return SETUP_FAILED
    if time.monotonic() - worker.started_at >= RESTARTED_AT_MOST_EVERY_S:
        log.error("a worker died and is started again", worker=worker.number, code=code)
        worker.before_again()
        worker.start()
    return None


def end(workers: Iterable[WorkerProcess]) -> None:
    """Let all workers finish what is under way, and end."""
    processes = [worker.process for worker in workers]
    living = [process for process in processes if process and process.poll() is None]
    for process in living:
        process.terminate()
    deadline = time.monotonic() + END_TIMEOUT_S
    for process in living:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("a worker does not end and is killed", pid=process.pid)
            process.kill()


def answer_of_all(workers: Sequence[WorkerProcess], path: str) -> tuple[int, str]:
    """Put the metrics, or the health, of all workers together."""
    with ThreadPoolExecutor(len(workers)) as pool:
        answers = list(pool.map(lambda worker: worker.ask(path), workers))
    if path == "/health":
        status = 200 if all(status == 200 for status, _ in answers) else 503
        lines = [f"worker {n}: {text}" for n, (_, text) in enumerate(answers)]
        return status, "".join(lines)
    texts = [text if status == 200 else "" for status, text in answers]
    return 200, labelled(texts)


def labelled(texts: Sequence[str]) -> str:
    r"""Join Prometheus texts, one a worker, with the label `worker` in every sample.

    >>> print(labelled(["# TYPE n gauge\nn 1.0\n", '# TYPE n gauge\nn{a="b"} 2.0\n']))
    # TYPE n gauge
    n{worker="0"} 1.0
    n{a="b",worker="1"} 2.0
    <BLANKLINE>
    """
    families: dict[str, list[str]] = {}
    for number, text in enumerate(texts):
        samples: list[str] = []
        for line in text.splitlines():
            if line.startswith("#"):
                samples = families.setdefault(line, [])
            elif match := _SAMPLE.fullmatch(line):
                name, labels, value = match.groups()
                all_labels = ",".join(filter(None, (labels, f'worker="{number}"')))
                samples.append(f"{name}{{{all_labels}}} {value}")
    return "".join(f"{line}\n" for head, samples in families.items() for line in (head, *samples))


def free_port() -> int:
    """Find a port of this machine that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
