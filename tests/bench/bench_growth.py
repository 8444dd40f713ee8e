"""From a thousand to a million objects in the store: python -m tests.bench.bench_growth.

The states are those that real packets of ZTF leave, each under many names, written in random
order. Then the next night's alerts of objects chosen at random go down the street without Kafka.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import structlog
import torch

from broker_classifier.memory import leave_out_of_collections
from broker_classifier.service import run
from broker_classifier.store import EmbeddedStore, MemoryStore, ObjectRecord
from broker_classifier.store.packing import pack
from tests.bench.figures import entry, table
from tests.bench.full_packets import full_packets, has_packets, object_name
from tests.streets import ListSink, ListSource, Topic, street

FEW, MANY, N_ALERTS, REPETITIONS = 1000, 1_000_000, 1000, 5
N_ORIGINALS, FILLED_AT_ONCE = 119, 1000


class Season(NamedTuple):
    """What one night left of some objects, and their alerts of the next."""

    states: list[ObjectRecord]
    packets: list[bytes]

    def fill(self, folder: Path, n_objects: int) -> EmbeddedStore:
        """Make a store of so many objects, of these states in turn."""
        store = EmbeddedStore(folder)
        order = np.random.default_rng(0).permutation(n_objects).tolist()
        for first in range(0, n_objects, FILLED_AT_ONCE):
            part = order[first : first + FILLED_AT_ONCE]
            store.merge({key(i): self.states[i % len(self.states)] for i in part}, 0.0)
        return store

    def alerts(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the next alert of each of these objects."""
        n = len(self.packets)
        return [
            self.packets[i % n].replace(object_name(i % n).encode(), object_name(i).encode())
            for i in numbers
        ]


def entries(repetitions: int = REPETITIONS, many: int = MANY) -> list[dict[str, Any]]:
    """Measure the cost of an alert beside few and beside many objects, and what they take."""
    if not has_packets():
        return []
    torch.set_num_threads(1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    season, rng = one_season(), np.random.default_rng(1)
    beside_many, beside_few, few_bytes = [], [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        much = season.fill(Path(folder) / "many", many)
        leave_out_of_collections()
        many_bytes = disk_bytes(Path(folder) / "many")
        for turn, numbers in enumerate(np.array_split(rng.permutation(many), many // N_ALERTS)):
            few = season.fill(Path(folder) / f"few-{turn}", FEW)
            few_bytes = disk_bytes(Path(folder) / f"few-{turn}")
            beside_many.append(us_per_alert(much, season.alerts(numbers.tolist())))
            beside_few.append(us_per_alert(few, season.alerts(range(FEW))))
            few.close()
            if turn == repetitions:  # the first turn warms up
                break
        much.close()
    cost = entry(
        f"street beside {many:,} objects", beside_many[1:], "us/alert", f"{FEW:,}", beside_few[1:]
    )
    disk = entry(
        f"disk of {many:,} objects", [many_bytes / many], "B/object", f"{FEW:,}", [few_bytes / FEW]
    )
    return [cost, disk, *sizes(season.states)]


def one_season() -> Season:
    """Take the first night's packets down a street, and keep what it remembers."""
    packets = full_packets(N_ORIGINALS, 2)
    store = MemoryStore()
    run(street(ListSource(Topic(packets[:N_ORIGINALS])), store=store), threading.Event())
    return Season(store.read([key(i) for i in range(N_ORIGINALS)]), packets[N_ORIGINALS:])


def key(number: int) -> str:
    """Return the store's name of an object."""
    return f"ztf:{object_name(number)}"


def us_per_alert(store: EmbeddedStore, packets: list[bytes]) -> float:
    opened = street(ListSource(Topic(packets)), ListSink(), store)
    started = time.perf_counter()
    run(opened, threading.Event())
    seconds = time.perf_counter() - started
    totals = opened.metrics.totals()
    assert totals["classified"] == totals["received"] == len(packets), totals
    return seconds * 1e6 / len(packets)


def disk_bytes(folder: Path) -> float:
    """Return how much of the disk a folder takes; its files may have holes."""
    return sum(512.0 * file.stat().st_blocks for file in folder.iterdir())


def sizes(states: list[ObjectRecord]) -> list[dict[str, Any]]:
    """Measure the states, and what they are for 100 points."""
    whole = [float(len(one)) for one in pack(states, [0.0] * len(states))]
    plain = [float(one.curve.points.nbytes) for one in states]
    ends = np.array([len(one.curve) for one in states])
    slope, at_0 = np.polyfit(ends, whole, 1)
    return [
        entry("state of an object after one night", whole, "B", "its points alone", plain),
        entry("the same with 100 points", [at_0 + 100 * slope], "B", "its points alone", [1700.0]),
    ]


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
