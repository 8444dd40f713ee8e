"""Rubin's visits to a deep field, Kafka to Kafka on two cores: python -m tests.bench.bench_rubin.

10,000 alerts of 245 kB, each with 340 previous and 340 forced sources: first of objects never
seen, then of the same objects on another night, then 39 s later. Then 256 alerts a second, from
Kafka's timestamp of the alert to that of its result. Kafka and its senders share the two cores.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Producer

from tests.bench.figures import entry, table
from tests.bench.on_kafka import CORES, bench_kafka, load, results, serving
from tests.bench.rubin_visits import SCHEMAS, has_schemas, visit
from tests.kafka_brokers import RealKafka
from tests.valkey_servers import server

N_ALERTS, REPETITIONS, VISIT_S = 10_000, 3, 39.0
VISITS = {"never seen": 0.0, "another night": 3.0, "39 s later": 3.0 + VISIT_S / 86400.0}  # days
PER_S, N_PACED, N_WARM = 256, 256 * 20, 256 * 2
SETTINGS = {"BROKER_SURVEYS__LSST__SCHEMAS": str(SCHEMAS)}


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure three visits in a row, each time with a new service, then the latency."""
    if not has_schemas():
        return []
    with bench_kafka() as kafka:
        load(kafka, "visits", chain(*[visit(days, N_ALERTS) for days in VISITS.values()]))
        times = zip(*[visits_s(kafka) for _ in range(repetitions)], strict=True)
    between = [VISIT_S] * repetitions
    return [
        *[
            entry(f"visit of {N_ALERTS:,}, {name}", list(found), "s", "between visits", between)
            for name, found in zip(VISITS, times, strict=True)
        ],
        *latencies(),
    ]


def latencies() -> list[dict[str, Any]]:
    """Measure the latency with the embedded store, and on Valkey."""
    with bench_kafka() as kafka:  # a new one: the other's gigabytes are still on their way to disk
        of_embedded = paced_ms(kafka)
    with (
        bench_kafka() as kafka,
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder)) as store,
    ):
        on_valkey = paced_ms(kafka, BROKER_STORE__PATH=store.url)
    name = f"latency at {PER_S}/s"
    return [
        latency(f"{name}, median", of_embedded),
        latency(f"{name}, store on Valkey, median", on_valkey),
    ]


def latency(name: str, latency_ms: Sequence[float]) -> dict[str, Any]:
    """Sum up the latencies of one run."""
    p50, p99 = np.percentile(latency_ms, [50, 99]).tolist()
    return entry(name, [p50], "ms", "99th percentile", [p99])


def visits_s(kafka: RealKafka) -> list[float]:
    """Return how long each visit took a new service, from the last one's last result on."""
    with serving(kafka, "visits", "lsst", CORES, **SETTINGS) as output:
        published = [at for _, at in results(kafka, output, len(VISITS) * N_ALERTS)]
    ends = [published[0], *published[N_ALERTS - 1 :: N_ALERTS]]
    return [end - begin for begin, end in pairwise(ends)]


def paced_ms(kafka: RealKafka, **variables: str) -> list[float]:
    """Send alerts of known objects at an even pace; return the latency of each but the first."""
    load(kafka, "paced", visit(0.0, N_WARM + N_PACED))
    with serving(kafka, "paced", "lsst", CORES, **SETTINGS, **variables) as output:
        n_before = len(results(kafka, output, N_WARM + N_PACED))
        messages = list(visit(VISIT_S / 86400.0, N_WARM + N_PACED))
        os.sync()
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})
        started = time.perf_counter()
        for i, message in enumerate(messages):
            time.sleep(max(0.0, started + i / PER_S - time.perf_counter()))
            producer.produce("paced", message, partition=i % 4)
            producer.poll(0)
        assert producer.flush(60.0) == 0
        times = results(kafka, output, n_before + len(messages))[n_before:]
    return [(published - received) * 1e3 for received, published in sorted(times)[N_WARM:]]


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
