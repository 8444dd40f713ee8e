"""Processor time an alert, of one worker and of many: python -m tests.bench.bench_fleet.

Real workers on a real Kafka, the time of their processes from the first alert to the last, in
turns of all fleets; that of the store's server beside. Night after night brings an alert of each
of thousands of objects, as fast as the workers take them; the last comes at an even pace. All
workers are kept to one core, Kafka to the others.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from tests.bench.figures import entry, table
from tests.bench.fleet import Fleet, fleet
from tests.bench.on_kafka import SERVICE_CORES, bench_kafka, kept_to, put
from tests.bench.season import Season, night, season
from tests.kafka_brokers import RealKafka
from tests.valkey_servers import Server, server

N_PARTITIONS, N_ALERTS, REPETITIONS = 12, 20_000, 5
PER_S, N_PACED, IDLE_S = 500, 500 * 6, 3.0
ALONE, ONE, THREE, FOUR = "1 worker, embedded store", "1 worker", "3 workers", "4 workers"
FLEETS = {ALONE: 1, ONE: 1, THREE: 3, FOUR: 4}

Cost = tuple[float, float]
"""Processor time an alert, us: of the service, and of the store's server."""


class Measured:
    """A fleet on a store of its own, and how much has been sent to it."""

    def __init__(self, kafka: RealKafka, opened: Fleet, topic: str, store: Server | None) -> None:
        self.fleet, self._kafka, self._topic, self._store = opened, kafka, topic, store
        self._n_sent = 0

    def cost(self, packets: Sequence[bytes], send: Callable[..., None]) -> Cost:
        """Send packets, wait until the last is done with, and return what each cost."""
        before = self._so_far_s()
        send(self._kafka, self._topic, packets, N_PARTITIONS)
        self._n_sent += len(packets)
        self.fleet.wait_for(self._n_sent)
        ours, stores = (
            (now - then) * 1e6 / len(packets)
            for now, then in zip(self._so_far_s(), before, strict=True)
        )
        return ours, stores

    def idle_cores(self) -> float:
        """Return how much of a core the workers take when they have nothing to do."""
        before = self.fleet.processor_s()
        time.sleep(IDLE_S)
        return (self.fleet.processor_s() - before) / IDLE_S

    def _so_far_s(self) -> tuple[float, float]:
        store_s = 0.0
        if self._store:
            info: Any = self._store.client().info("cpu")
            store_s = float(info["used_cpu_sys"]) + float(info["used_cpu_user"])
        return self.fleet.processor_s(), store_s


def paced(kafka: RealKafka, topic: str, packets: Sequence[bytes], partitions: int) -> None:
    """Put packets into a topic's partitions in turn, so many a second."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})
    started = time.perf_counter()
    for i, packet in enumerate(packets):
        time.sleep(max(0.0, started + i / PER_S - time.perf_counter()))
        producer.produce(topic, packet, partition=i % partitions)
        producer.poll(0)
    assert producer.flush(60.0) == 0


@contextmanager
def measured(kafka: RealKafka, number: int, n_workers: int, *, shared: bool) -> Iterator[Measured]:
    """Start a fleet with an empty store."""
    topic = f"ztf_fleet_{number}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(server(folder)) if shared else None
        variables = {"BROKER_STORE__PATH": store.url} if store else {}
        with kept_to(SERVICE_CORES):
            started = fleet(kafka, topic, n_workers, N_PARTITIONS, **variables)
            opened = stack.enter_context(started)
        yield Measured(kafka, opened, topic, store)


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure all fleets in turn."""
    objects = season(repetitions + 2)
    with bench_kafka() as kafka, ExitStack() as stack:
        fleets = {
            name: stack.enter_context(measured(kafka, i, n, shared=name != ALONE))
            for i, (name, n) in enumerate(FLEETS.items())
        }
        turns = [costs(fleets, objects, turn, put) for turn in range(repetitions + 1)][1:]
        even = costs(fleets, objects, repetitions + 1, paced)
        idle = {name: opened.idle_cores() for name, opened in fleets.items()}
    ours = {name: [turn[name][0] for turn in turns] for name in FLEETS}
    stores = {name: [turn[name][1] for turn in turns] for name in FLEETS}
    what = "processor time an alert"
    return [
        entry(f"{what}, {THREE} on Valkey", ours[THREE], "us", ALONE, ours[ALONE]),
        entry(f"{what}, {THREE} on Valkey", ours[THREE], "us", "Valkey's own", stores[THREE]),
        entry(f"{what}, {FOUR} on Valkey", ours[FOUR], "us", f"{ONE} on it", ours[ONE]),
        entry(f"{what}, {FOUR} on Valkey", ours[FOUR], "us", "Valkey's own", stores[FOUR]),
        entry(f"{what}, {FOUR} at {PER_S}/s", [even[FOUR][0]], "us", ONE, [even[ONE][0]]),
        entry(f"cores of {FOUR}, idle", [idle[FOUR]], "cores", ONE, [idle[ONE]]),
    ]


def costs(
    fleets: dict[str, Measured], objects: Season, number: int, send: Callable[..., None]
) -> dict[str, Cost]:
    """Let every fleet take the alerts of a night."""
    n = N_PACED if send is paced else N_ALERTS
    packets = [packet.message for packet in night(objects, number, n)]
    return {name: opened.cost(packets, send) for name, opened in fleets.items()}


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
