"""An hour under load with a fault every minute: make soak, or python -m tests.soak.

A line a minute goes to standard error, the whole as JSON to standard output. SOAK_MINUTES,
SOAK_RATE (alerts a second), SOAK_WORKERS and SOAK_SEED change it. The first worker is never ended,
so that its memory can be followed through all faults.
"""

import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from valkey.exceptions import ValkeyError

from broker_classifier.light_curve.photometry import SECONDS_PER_DAY
from tests.bench.__main__ import machine
from tests.kafka_brokers import running_kafka
from tests.kafka_sources import ADVICE, obtain_kafka
from tests.service.faults import (
    FAULTS,
    N_LETTERS,
    STORE_FAULTS,
    Street,
    kafka_is_killed,
    open_street,
    partitions_are_added,
    poison_comes_in_a_burst,
)
from tests.soak.sender import Sender
from tests.soak.watch import Watch, watched

WORD = "soak"
KEPT_S = 300.0  # objects in the store, after their last alert
MOST_UNANSWERED_S = 60.0  # of alerts at the full rate; then the sender waits
MOST_TIMES_PARTITIONS = 3
SETTLE_S, END_S = 15.0, 600.0
BROKER_SETTINGS = {  # what is deleted goes from the disk soon
    "log.segment.bytes": str(64 << 20),
    "log.retention.check.interval.ms": "20000",
    "log.segment.delete.delay.ms": "1000",
}
SETTINGS = {
    "BROKER_STORE__RETENTION_DAYS": str(KEPT_S / SECONDS_PER_DAY),
    "BROKER_KAFKA__DELIVERY": "exactly_once",
    "BROKER_KAFKA__PARTITIONS": "4",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    minutes: int
    rate: float
    n_workers: int
    seed: str

    @property
    def capacity(self) -> int:
        return int(self.rate * 60 * (self.minutes + 1))


def main() -> None:
    plan = Plan(
        int(os.environ.get("SOAK_MINUTES", "60")),
        float(os.environ.get("SOAK_RATE", "2700")),
        int(os.environ.get("SOAK_WORKERS", "2")),
        os.environ.get("SOAK_SEED", str(random.SystemRandom().randrange(10**6))),
    )
    source = obtain_kafka(own=True)
    if source is None:
        raise SystemExit(ADVICE)
    folder, rng = Path(tempfile.mkdtemp(prefix="soak-")), random.Random(plan.seed)
    say(f"SOAK_SEED={plan.seed}, logs in {folder}")
    with (
        running_kafka(source, folder / "kafka", BROKER_SETTINGS) as kafka,
        open_street(kafka, WORD, folder, plan.n_workers, rng, **SETTINGS) as street,
        watched(street, plan.capacity) as watch,
    ):
        street.mortal = street.workers[1:] or street.workers
        result = soak(plan, street, watch)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if result["wrong"]:
        raise SystemExit("; ".join(result["wrong"]))
    shutil.rmtree(folder)


def soak(plan: Plan, street: Street, watch: Watch) -> dict[str, Any]:
    """Send for so many minutes, with a fault in each; wait for the last answers, and sum up."""
    most = plan.rate * MOST_UNANSWERED_S
    sender = Sender(
        street.kafka.bootstrap_servers,
        street.topic,
        plan.rate,
        lambda n_sent: n_sent < plan.capacity and n_sent - watch.report.n_answered < most,
    )
    watch.n_sent = lambda: sender.n_sent
    started, faults, rows = time.monotonic(), schedule(street.rng), []
    ended: list[str] = []
    for minute in range(1, plan.minutes + 1):
        before = sender.n_sent, watch.report.n_answered
        watch.check()
        fault = next(faults)
        time.sleep(street.rng.uniform(5.0, 15.0))
        fault(street)
        time.sleep(max(0.0, started + 60.0 * minute - time.monotonic()))
        ended += start_what_ended(street, minute)
        delete_what_is_done(street, watch)
        rows.append(row_of(minute, fault, before, sender, watch, street))
        say(line_of(rows[-1]))
    seconds = time.monotonic() - started
    n_sent = sender.stop()
    n_bursts = sum(row["fault"] == poison_comes_in_a_burst.__name__ for row in rows)
    wait_for_the_last(watch, n_sent, n_bursts * N_LETTERS)
    result = summed_up(plan, rows, watch, n_sent, n_bursts * N_LETTERS, n_sent / seconds)
    return result | {"wrong": ended + result["wrong"]}


def schedule(rng: random.Random) -> Iterator[Callable[[Street], None]]:
    """Yield every fault once in each round, the rounds in a random order.

    Kafka is killed first of all: what new clients need beside old ones, a worker has from then on.
    """
    yield kafka_is_killed
    for n_rounds in itertools.count():
        faults = FAULTS + STORE_FAULTS
        if n_rounds >= MOST_TIMES_PARTITIONS:
            faults.remove(partitions_are_added)
        rng.shuffle(faults)
        yield from faults


def start_what_ended(street: Street, minute: int) -> list[str]:
    """Start workers again that ended by themselves, as a supervisor does; say so."""
    words = []
    for number, worker in enumerate(street.workers):
        if not worker.is_alive:
            last_line = worker.log().strip().rpartition("\n")[2]
            words.append(f"worker {number} ended in minute {minute}: {last_line[:300]}")
            say(words[-1])
            worker.start()
    return words


def delete_what_is_done(street: Street, watch: Watch) -> None:
    """Delete the alerts that are committed, and the answers that were read, from the topics."""
    servers, group = street.kafka.bootstrap_servers, f"group-{WORD}"
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    settings = {"bootstrap.servers": servers, "group.id": group, "log_level": 0}
    with suppress(KafkaException), closing(Consumer(settings)) as consumer:
        partitions = admin.list_topics(street.topic, timeout=10).topics[street.topic].partitions
        alerts = [TopicPartition(street.topic, number) for number in partitions]
        done = [place for place in consumer.committed(alerts, timeout=10) if place.offset > 0]
        done += [TopicPartition(*place, offset) for place, offset in watch.report.read_to.items()]
        for deleted in admin.delete_records(done).values():
            deleted.result(timeout=10)


def row_of(
    minute: int,
    fault: Callable[[Street], None],
    before: tuple[int, int],
    sender: Sender,
    watch: Watch,
    street: Street,
) -> dict[str, Any]:
    n_sent, report = sender.n_sent, watch.report
    n_objects = 0
    with suppress(ValkeyError), street.store.client() as client:
        n_objects = client.dbsize()
    return {
        "minute": minute,
        "sent_per_s": round((n_sent - before[0]) / 60),
        "answered_per_s": round((report.n_answered - before[1]) / 60),
        "lag": n_sent - report.n_answered,
        "mb": {name: round(watch.memory.now(name)) for name in watch.memory.lives},
        "objects": n_objects,
        "disk_mb": round(disk_mb(street.store.folder.parent)),
        "fault": fault.__name__,
    }


def disk_mb(folder: Path) -> float:
    """Return how much of the disk a folder takes; files may go meanwhile."""
    n_blocks = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            n_blocks += path.stat().st_blocks
    return n_blocks * 512 / 1e6


def line_of(row: dict[str, Any]) -> str:
    memory = ", ".join(f"{name} {mb}" for name, mb in row["mb"].items())
    return (
        f"{row['minute']:3} min  sent {row['sent_per_s']:5,}/s  answered {row['answered_per_s']:5,}"
        f"/s  lag {row['lag']:7,}  MB: {memory}  objects {row['objects']:,}  "
        f"disk {row['disk_mb']:,}  {row['fault']}"
    )


def wait_for_the_last(watch: Watch, n_sent: int, n_letters: int) -> None:
    """Wait until all is answered, and then whether more comes."""
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        report = watch.report
        if report.n_answered >= n_sent and report.n_letters >= n_letters:
            break
        time.sleep(1.0)
    time.sleep(SETTLE_S)


def summed_up(
    plan: Plan,
    rows: list[dict[str, Any]],
    watch: Watch,
    n_sent: int,
    n_letters: int,
    sent_per_s: float,
) -> dict[str, Any]:
    """Say what came out, and in `wrong` what should not have."""
    report = watch.final(n_sent)
    counts = report._asdict()
    del counts["read_to"]
    wrong = [
        f"{name}: {counts[name]}"
        for name in ("n_lost", "n_twice", "n_wrong", "n_extra")
        if counts[name]
    ]
    if report.n_letters != n_letters:
        wrong.append(f"{report.n_letters} dead letters, not {n_letters}")
    wrong += watch.memory.complaints("worker 0")
    return {
        "machine": machine(),
        "minutes": plan.minutes,
        "seed": plan.seed,
        "workers": plan.n_workers,
        "sent": n_sent,
        "sent_per_s": round(sent_per_s),
        **counts,
        "memory": watch.memory.curves(),
        "rows": rows,
        "wrong": wrong,
    }


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
