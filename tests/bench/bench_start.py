"""From the start of `serve` to its first answer: python -m tests.bench.bench_start.

A real Kafka with alerts that wait; a reader of committed results. First with nothing compiled, as
after an installation, then again and again with an empty store.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from broker_classifier.demo.simulate.night import simulate_night
from tests.bench.arrivals import Arrivals
from tests.bench.figures import entry, table
from tests.bench.on_kafka import CORES, WAIT_S, bench_kafka, kept_to, load
from tests.kafka_brokers import RealKafka
from tests.kafka_streets import service, wait_until

TOPIC, N_OBJECTS, REPETITIONS = "ztf_start", 30, 5
FIRST_S = 4.0  # the goal


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Start a service again and again."""
    with bench_kafka() as kafka, kept_to(CORES), tempfile.TemporaryDirectory() as cache:
        load(kafka, TOPIC, [packet.message for packet in simulate_night(N_OBJECTS, seed=3)])
        cold, *warm = [first_answer_s(kafka, turn, cache) for turn in range(repetitions + 1)]
    name = "start of serve to its first answer"
    return [
        entry(name, warm, "s", "to reach", [FIRST_S] * repetitions),
        entry(f"{name}, nothing compiled", [cold], "s", "to reach", [FIRST_S]),
    ]


def first_answer_s(kafka: RealKafka, turn: int, cache: str) -> float:
    """Start a new service with an empty store; return the seconds until a reader has an answer."""
    word = f"start-{turn}"
    kafka.create_topic(f"classifications-{word}")
    variables = {
        "BROKER_SURVEYS__ZTF__TOPICS": json.dumps([TOPIC]),
        "BROKER_KAFKA__CLIENT": "{}",
        "NUMBA_CACHE_DIR": cache,
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        Arrivals(kafka.bootstrap_servers, f"classifications-{word}") as arrivals,
    ):
        started = time.monotonic()
        with service(kafka.bootstrap_servers, word, Path(folder), **variables):
            wait_until(lambda: arrivals.seen, "an answer", WAIT_S)
    return arrivals.seen[0][0] - started


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
