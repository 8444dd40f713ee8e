"""The street from Kafka to Kafka, beside merely consuming: python -m tests.bench.bench_kafka.

A real Kafka on one core, the real service on another; full packets of ZTF, every history read.
"""

import sys
from typing import Any

from tests.bench.figures import entry, table
from tests.bench.full_packets import full_packets, has_packets
from tests.bench.on_kafka import bench_kafka, carried, consumed_per_s, load

N_OBJECTS, N_NIGHTS, REPETITIONS = 4000, 3, 3
FIRST = 1000  # results that are not timed: the service and its fetching get under way


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure both, in turn, each time with a new service and an empty store."""
    if not has_packets():
        return []
    packets = full_packets(N_OBJECTS, N_NIGHTS)
    rates, mere_rates = [], []
    with bench_kafka() as kafka:
        load(kafka, "ztf_bench", packets)
        for _ in range(repetitions):
            mere_rates.append(consumed_per_s(kafka, "ztf_bench", len(packets)))
            published = [at for _, at in carried(kafka, "ztf_bench", len(packets))]
            rates.append((len(published) - FIRST) / (published[-1] - published[FIRST - 1]))
    name = "street Kafka to Kafka, full ZTF packets"
    return [entry(name, rates, "alerts/s", "merely consuming", mere_rates)]


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
