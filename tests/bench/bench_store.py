"""The embedded store on disk, beside bare LMDB: python -m tests.bench.bench_store."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lmdb
import numpy as np

from broker_classifier.light_curve import light_curve
from broker_classifier.store import EmbeddedStore, ObjectRecord, answered
from broker_classifier.store.packing import pack
from tests.bench.figures import entry, table

N_OBJECTS, BATCH, N_POINTS, REPETITIONS = 10_000, 500, 30, 5


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Read batches of objects and put them back, each with one point more."""
    rng = np.random.default_rng(0)
    names = [f"ZTF{i:09d}" for i in range(N_OBJECTS)]
    known = [record(rng, N_POINTS, i) for i in range(BATCH)]
    ours, plain = [], []
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore(Path(folder) / "ours")
        reference = lmdb.open(str(Path(folder) / "plain"), map_size=1 << 30)
        for first in range(0, N_OBJECTS, BATCH):
            batch = dict(zip(names[first : first + BATCH], known, strict=True))
            store.put(batch, dict.fromkeys(batch, 0), seen_at=0.0)
            write(reference, batch, pack(known, [0.0] * BATCH))
        for _ in range(repetitions):
            chosen = rng.permutation(N_OBJECTS)[: 10 * BATCH].reshape(10, BATCH)
            batches = [[names[i] for i in rows] for rows in chosen]
            news = [record(rng, 1, 10**6 + i) for i in range(BATCH)]
            ours.append(put_per_s(store, batches, news))
            plain.append(written_per_s(reference, batches, known))
        store.close()
        reference.close()
    return [entry("store: read and put", ours, "objects/s", "LMDB alone", plain)]


def record(rng: np.random.Generator, n: int, first_id: int) -> ObjectRecord:
    """Make an object of n points, all of them answered alerts, with a classifier's memory."""
    mjd = 60000.0 + 100.0 * rng.random(n)
    curve = light_curve(mjd, rng.uniform(1e3, 1e4, n), np.full(n, 100.0), "g")
    alerts = [(first_id * 1000 + i, at, False, 1) for i, at in enumerate(mjd.tolist())]
    return ObjectRecord(curve, answered(alerts), {1: rng.bytes(912 + 3 * n)}, 60000.0, 1)


def put_per_s(store: EmbeddedStore, batches: list[list[str]], news: list[ObjectRecord]) -> float:
    started = time.perf_counter()
    for names in batches:
        before = store.read(names)
        after = [
            old.followed_by(
                old.curve.merge(new.curve), new.answered.tolist(), new.encoder_states, 0.0, 0.0
            )
            for old, new in zip(before, news, strict=True)
        ]
        versions = [record.version for record in before]
        records = dict(zip(names, after, strict=True))
        store.put(records, dict(zip(names, versions, strict=True)), seen_at=0.0)
    store.flush()
    return len(batches) * BATCH / (time.perf_counter() - started)


def written_per_s(
    reference: lmdb.Environment, batches: list[list[str]], known: list[ObjectRecord]
) -> float:
    packed = pack(known, [0.0] * BATCH)
    started = time.perf_counter()
    for names in batches:
        with reference.begin() as transaction:
            for name in names:
                transaction.get(name.encode())
        write(reference, names, packed)
    return len(batches) * BATCH / (time.perf_counter() - started)


def write(reference: lmdb.Environment, names: Any, packed: list[bytes]) -> None:
    with reference.begin(write=True) as transaction:
        for name, value in zip(names, packed, strict=True):
            transaction.put(name.encode(), value)


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
