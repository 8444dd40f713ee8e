"""How long a worker is missed that is killed: python -m tests.bench.bench_kill.

`serve --workers 3` on a real Kafka and a real Valkey, exactly once, alerts for every partition all
the time. Now this worker is killed, now that; a reader of committed results notes when those of
each partition arrive.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from confluent_kafka import Producer

from tests.bench.arrivals import Arrivals
from tests.bench.figures import entry, table
from tests.bench.fleet import Fleet, fleet
from tests.bench.on_kafka import CORES, WAIT_S, bench_kafka, kept_to
from tests.bench.season import night, season
from tests.kafka_brokers import RealKafka
from tests.kafka_streets import wait_until
from tests.valkey_servers import server

TOPIC, N_WORKERS, N_PARTITIONS, REPETITIONS = "ztf_kill", 3, 6, 5
PER_S, N_NIGHTS, N_OBJECTS = 120, 10, 3000
SETTLED_S, AFTER_S = 3.0, 2.0
BACK_S, SILENT_S = 8.0, 1.0  # the goals


class Missed(NamedTuple):
    """What a kill did: seconds to the next result, and of silence in another's partition."""

    back_s: float
    others_silent_s: float


def partition_of(object_id: str) -> int:
    """Put all alerts of an object into one partition, so that a result tells it."""
    return crc32(object_id.encode()) % N_PARTITIONS


@contextmanager
def feeding(kafka: RealKafka) -> Iterator[None]:
    """Send alerts at an even pace while the context lasts."""
    stop, objects = threading.Event(), season(N_NIGHTS)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})

    def feed() -> None:
        alerts = (alert for i in range(N_NIGHTS) for alert in night(objects, i, N_OBJECTS))
        started = time.perf_counter()
        for i, alert in enumerate(alerts):
            if stop.wait(max(0.0, started + i / PER_S - time.perf_counter())):
                return
            producer.produce(TOPIC, alert.message, partition=partition_of(alert.object_id))
            producer.poll(0)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        stop.set()
        feeder.join()
        producer.flush(10.0)


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Kill workers in turn."""
    with bench_kafka() as kafka, ExitStack() as stack:
        stack.enter_context(kept_to(CORES))  # Kafka stays on its own
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        variables = {"BROKER_STORE__PATH": stack.enter_context(server(Path(folder))).url}
        opened = stack.enter_context(fleet(kafka, TOPIC, N_WORKERS, N_PARTITIONS, **variables))
        reader = Arrivals(kafka.bootstrap_servers, opened.service.output, partition_of)
        arrivals = stack.enter_context(reader)
        stack.enter_context(feeding(kafka))
        kills = [missed(opened, arrivals, turn % N_WORKERS) for turn in range(repetitions)]
    goals = [BACK_S] * repetitions, [SILENT_S] * repetitions
    back, silent = zip(*kills, strict=True)
    return [
        entry("SIGKILL of a worker to its next result", back, "s", "to reach", goals[0]),
        entry("silence of a partition of others", silent, "s", "to reach", goals[1]),
    ]


def missed(opened: Fleet, arrivals: Arrivals, number: int) -> Missed:
    """Kill a worker when all have settled, and wait until it is back."""
    everything = set(range(N_PARTITIONS))
    wait_until(lambda: settled(opened, arrivals), "results of every partition", WAIT_S)
    name = f"{TOPIC}-{number}"
    of_victim = opened.partitions()[name]
    os.kill(opened.workers()[name], signal.SIGKILL)
    killed = time.monotonic()
    later = killed + SILENT_S  # what it had committed has arrived by then
    wait_until(
        lambda: arrivals.of(of_victim, later, time.monotonic()), f"{name} to be back", WAIT_S
    )
    _, back = arrivals.silence(of_victim, killed, time.monotonic())
    time.sleep(AFTER_S)
    gaps = [arrivals.silence({n}, killed, back + AFTER_S) for n in everything - of_victim]
    return Missed(back - killed, max(end - begin for begin, end in gaps))


def settled(opened: Fleet, arrivals: Arrivals) -> bool:
    """Say whether all workers have partitions, and all partitions results, for some time."""
    now = time.monotonic()
    gaps = [arrivals.silence({n}, now - SETTLED_S, now) for n in range(N_PARTITIONS)]
    if any(end - begin >= SILENT_S for begin, end in gaps):
        return False
    return len([held for held in opened.partitions().values() if held]) == N_WORKERS


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
