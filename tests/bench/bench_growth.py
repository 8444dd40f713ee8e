"""From a thousand to a million objects in the store: python -m tests.bench.bench_growth.

The states are those that one to five nights of real packets of ZTF leave, each under many names,
written in random order. Then alerts of the next night of each go down the street without Kafka,
beside many objects of objects chosen at random, beside few of all of them, night after night.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import structlog
import torch
from numpy.typing import NDArray

from broker_classifier.service.loop import run
from broker_classifier.service.process import leave_out_of_collections
from broker_classifier.store import EmbeddedStore, MemoryStore, ObjectRecord
from broker_classifier.store.packing import pack
from tests.bench.figures import entry, table
from tests.bench.full_packets import full_packets, has_packets, object_name
from tests.streets import ListSink, ListSource, Topic, street

FEW, MANY, N_NIGHTS, REPETITIONS = 1000, 1_000_000, 5, 5
N_ALERTS = FEW * N_NIGHTS
N_ORIGINALS, FILLED_AT_ONCE = 119, 1000


class Season(NamedTuple):
    """What each night left of some objects, and their alerts of the night after it."""

    states: list[list[ObjectRecord]]
    packets: list[list[bytes]]

    def fill(self, folder: Path, numbers: NDArray[np.int64], n_nights: int) -> EmbeddedStore:
        """Make a store of these objects, each after one of the first nights."""
        store = EmbeddedStore(folder)
        order = np.random.default_rng(0).permutation(numbers).tolist()
        for first in range(0, len(order), FILLED_AT_ONCE):
            part = order[first : first + FILLED_AT_ONCE]
            states = [self.states[night_of(i) % n_nights][i % N_ORIGINALS] for i in part]
            records = {key(i): state for i, state in zip(part, states, strict=True)}
            store.put(records, dict.fromkeys(records, 0), 0.0)
        store.flush()
        return store

    def alerts(self, night: int, numbers: Iterable[int]) -> list[bytes]:
        """Return the alerts of these objects that follow a night."""
        packets = self.packets[night]
        return [
            packets[i % N_ORIGINALS].replace(object_name(i % N_ORIGINALS).encode(), name)
            for i, name in ((i, object_name(i).encode()) for i in numbers)
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
        much = season.fill(Path(folder) / "many", np.arange(many), N_NIGHTS)
        os.sync()
        leave_out_of_collections()
        many_bytes = disk_bytes(Path(folder) / "many")
        for turn, chosen in enumerate(np.array_split(rng.permutation(many), many // N_ALERTS)):
            few = season.fill(Path(folder) / f"few-{turn}", np.arange(FEW), 1)
            few_bytes = disk_bytes(Path(folder) / f"few-{turn}")
            of_night = [chosen[night_of(chosen) == night].tolist() for night in range(N_NIGHTS)]
            beside_many.append(us_per_alert(much, season, of_night))
            beside_few.append(us_per_alert(few, season, [list(range(FEW))] * N_NIGHTS))
            few.close()
            if turn == repetitions:  # the first turn warms up
                break
        much.close()
    cost = entry(
        f"an alert, beside {many:,} objects", beside_many[1:], "us", f"{FEW:,}", beside_few[1:]
    )
    disk = entry(
        f"disk of {many:,} objects", [many_bytes / many], "B/object", f"{FEW:,}", [few_bytes / FEW]
    )
    return [cost, disk, *sizes(season.states[0])]


def one_season() -> Season:
    """Take the packets down a street, night after night, and keep what it remembers of each."""
    packets = full_packets(N_ORIGINALS, N_NIGHTS + 1)
    nights = [packets[first : first + N_ORIGINALS] for first in range(0, len(packets), N_ORIGINALS)]
    store, states = MemoryStore(), []
    for night in nights[:-1]:
        run(street(ListSource(Topic(night)), store=store), threading.Event())
        states.append(store.read([key(i) for i in range(N_ORIGINALS)]))
    return Season(states, nights[1:])


def night_of(number: Any) -> Any:
    """Tell which night the state of an object is of."""
    return number // N_ORIGINALS % N_NIGHTS


def key(number: int) -> str:
    """Return the store's name of an object."""
    return f"ztf:{object_name(number)}"


def us_per_alert(store: EmbeddedStore, season: Season, of_night: list[list[int]]) -> float:
    packets = [alert for n, numbers in enumerate(of_night) for alert in season.alerts(n, numbers)]
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
