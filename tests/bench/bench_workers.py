"""What a store for many workers costs: python -m tests.bench.bench_workers.

The street without Kafka, processor time of the worker alone, on a Valkey server and beside it on
the embedded store. Then workers that replay the same objects at once, as threads of one process:
how many objects they have to work out again, and that all answers are right in the end.
"""

import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import structlog
import torch

from broker_classifier.demo.simulate.night import simulate_night
from broker_classifier.service.loop import run
from broker_classifier.store import EmbeddedStore, LightCurveStore
from broker_classifier.store.valkey import ValkeyStore
from tests.bench.figures import entry, table
from tests.streets import ListSink, ListSource, Topic, standing, street
from tests.valkey_servers import Server, server

N_OBJECTS, BATCH, N_WORKERS, REPETITIONS = 150, 500, 3, 5


def us_per_alert(packets: list[bytes], store: LightCurveStore) -> float:
    """Take all packets down a street; return the processor time of this process."""
    started = time.process_time()
    run(street(ListSource(Topic(packets), BATCH), ListSink(), store), threading.Event())
    return (time.process_time() - started) * 1e6 / len(packets)


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure both stores in turn, then workers that meet."""
    torch.set_num_threads(1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    packets = [packet.message for packet in simulate_night(N_OBJECTS, seed=3)]
    shared, embedded = [], []
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "valkey") as started:
        for turn in range(repetitions + 1):  # the first warms up
            started.client().flushall()
            with closing(ValkeyStore(started.url)) as store:
                shared.append(us_per_alert(packets, store))
            with closing(EmbeddedStore(Path(folder) / str(turn))) as local:
                embedded.append(us_per_alert(packets, local))
        started.client().flushall()
        conflicts, n_alerts = conflicts_of(packets, started)
    name = "processor time an alert, store on Valkey"
    return [
        entry(name, shared[1:], "us", "embedded store", embedded[1:]),
        entry(f"conflicts of {N_WORKERS} workers", [conflicts], "objects", "alerts", [n_alerts]),
    ]


def conflicts_of(packets: list[bytes], started: Server) -> tuple[float, float]:
    """Let workers share the packets of the same objects; return conflicts and alerts."""
    streets = [
        street(
            ListSource(Topic(packets[first::N_WORKERS], f"part {first}"), BATCH),
            ListSink(),
            ValkeyStore(started.url),
        )
        for first in range(N_WORKERS)
    ]
    workers = [threading.Thread(target=run, args=(one, threading.Event())) for one in streets]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    alone = ListSink()
    run(street(ListSource(Topic(packets), BATCH), alone), threading.Event())
    answers = standing([message for one in streets for message in one.sink.sent])  # type: ignore[attr-defined]
    right = standing(alone.sent)
    assert answers.keys() == right.keys()
    for alert_id, content in answers.items():
        assert content["n_points_used"] == right[alert_id]["n_points_used"]
    counts = [
        one.metrics.registry.get_sample_value("broker_conflicts_total") or 0 for one in streets
    ]
    for one in streets:
        one.store.close()
    return float(sum(counts)), float(len(packets))


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
