"""The street without Kafka, beside fastavro's decoding alone: python -m tests.bench.bench_street.

From messages in memory to JSON messages in memory, with the embedded store on disk, on one core:
decode, merge, classify, write, remember. The packets are a simulated season's, about 4 kB each,
with their 30 days of history.
"""

import io
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import fastavro
import structlog
import torch

from broker_classifier.demo.simulate.night import simulate_night
from broker_classifier.service.loop import run
from broker_classifier.store import EmbeddedStore
from tests.bench.figures import entry, table
from tests.streets import ListSink, ListSource, Topic, street

N_OBJECTS, BATCH, REPETITIONS = 150, 500, 5


def walked_s(packets: list[bytes]) -> float:
    """Take all packets down a new street; return the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore(Path(folder))
        opened = street(ListSource(Topic(packets), BATCH), ListSink(), store)
        started = time.perf_counter()
        run(opened, threading.Event())
        seconds = time.perf_counter() - started
        store.close()
    assert opened.metrics.totals()["received"] == len(packets)
    return seconds


def decoded_s(packets: list[bytes]) -> float:
    """Read all packets with fastavro, header by header; return the seconds."""
    started = time.perf_counter()
    for packet in packets:
        list(fastavro.reader(io.BytesIO(packet)))
    return time.perf_counter() - started


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure both in turn."""
    torch.set_num_threads(1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    packets = [one.message for one in simulate_night(N_OBJECTS, seed=3)]
    walked_s(packets[:BATCH])  # what is compiled is compiled now
    pairs = [(walked_s(packets), decoded_s(packets)) for _ in range(repetitions)]
    rates, decoding = (
        [len(packets) / seconds for seconds in one] for one in zip(*pairs, strict=True)
    )
    name = "without Kafka, simulated packets"
    return [entry(name, rates, "alerts/s", "fastavro.reader alone", decoding)]


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
