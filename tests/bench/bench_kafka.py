"""The street from Kafka to Kafka, beside merely consuming: python -m tests.bench.bench_kafka.

A real Kafka on one core, the real service on another; full packets of ZTF, every history read.
"""

import sys
from typing import Any

from broker_classifier.service.open_kafka import AT_LEAST_ONCE, EXACTLY_ONCE
from tests.bench.figures import entry, table
from tests.bench.full_packets import full_packets, has_packets
from tests.bench.on_kafka import (
    SERVICE_CORES,
    bench_kafka,
    consumed_per_s,
    load,
    results,
    serving,
)

N_OBJECTS, N_NIGHTS, REPETITIONS = 4000, 4, 5
FIRST = N_OBJECTS  # results that are not timed: the first night, when no object is known
NAME = "Kafka to Kafka, full ZTF packets"


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure all in turn, each time with a new service and an empty store."""
    if not has_packets():
        return []
    packets = full_packets(N_OBJECTS, N_NIGHTS)
    rates: dict[str, list[float]] = {EXACTLY_ONCE: [], AT_LEAST_ONCE: []}
    mere_rates: dict[bool, list[float]] = {False: [], True: []}
    with bench_kafka() as kafka:
        load(kafka, "ztf_bench", packets)
        for _ in range(repetitions):
            for keeps_memory, found in mere_rates.items():
                n = len(packets)
                found.append(consumed_per_s(kafka, "ztf_bench", n, keeps_memory=keeps_memory))
            for delivery, of_delivery in rates.items():
                asked = {"BROKER_KAFKA__DELIVERY": delivery}
                with serving(kafka, "ztf_bench", "ztf", SERVICE_CORES, **asked) as output:
                    published = [at for _, at in results(kafka, output, len(packets))]
                seconds = published[-1] - published[FIRST - 1]
                of_delivery.append((len(published) - FIRST) / seconds)
    usual = rates[EXACTLY_ONCE]
    return [
        entry(NAME, usual, "alerts/s", "merely consuming", mere_rates[False]),
        entry(NAME, usual, "alerts/s", "consuming, memory kept", mere_rates[True]),
        entry(
            "Kafka to Kafka, exactly once", usual, "alerts/s", "once or more", rates[AT_LEAST_ONCE]
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
