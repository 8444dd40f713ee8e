"""Workers of one group on a real Kafka, for benchmarks: what they cost, what they have left."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.bench.on_kafka import WAIT_S
from tests.kafka_brokers import RealKafka
from tests.kafka_streets import Service, wait_until

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Fleet:
    """`serve --workers N` on a topic of its own, its supervisor and its workers."""

    def __init__(self, service: Service, topic: str, n_partitions: int) -> None:
        self.service = service
        self._places = [TopicPartition(topic, number) for number in range(n_partitions)]
        self._group_id = service.environment["BROKER_KAFKA__GROUP_ID"]
        client: dict[str, Any] = {"bootstrap.servers": service.bootstrap_servers, "log_level": 0}
        self._group = Consumer(client | {"group.id": self._group_id})
        self._admin = AdminClient(client)

    def n_committed(self) -> int:
        """Return how many messages of the topic need not come again."""
        places = self._group.committed(self._places, timeout=10.0)
        return sum(max(0, place.offset) for place in places)

    def partitions(self) -> dict[str, set[int]]:
        """Return which partitions every worker has, by the worker's name."""
        [described] = self._admin.describe_consumer_groups([self._group_id]).values()
        return {
            member.group_instance_id: {
                place.partition for place in member.assignment.topic_partitions
            }
            for member in described.result(10.0).members
        }

    def wait_for(self, n_messages: int) -> None:
        """Wait until so many messages of the topic are done with."""
        wait_until(lambda: self.n_committed() >= n_messages, f"{n_messages} messages", WAIT_S)

    def workers(self) -> dict[str, int]:
        """Return the process of every worker that lives, by the worker's name."""
        return {_worker_name(pid): pid for pid in children(self.service.pid)}

    def processor_s(self) -> float:
        """Return the processor time that the supervisor and its workers have had so far."""
        return sum(map(processor_s, [self.service.pid, *children(self.service.pid)]))

    def close(self) -> None:
        """Let the workers finish and end."""
        self._group.close()
        self.service.stop()


@contextmanager
def fleet(
    kafka: RealKafka, topic: str, n_workers: int, n_partitions: int, **variables: str
) -> Iterator[Fleet]:
    """Let new workers read a new topic of ZTF alerts."""
    kafka.create_topic(topic, n_partitions)
    variables = {
        "BROKER_SURVEYS__ZTF__TOPICS": json.dumps([topic]),
        "BROKER_KAFKA__WORKER": topic,
        "BROKER_KAFKA__CLIENT": "{}",
    } | variables
    with tempfile.TemporaryDirectory() as folder:
        options = ["--workers", str(n_workers)]
        service = Service(kafka.bootstrap_servers, topic, Path(folder), *options, **variables)
        opened = Fleet(service, topic, n_partitions)
        try:
            service.start()
            wait_until(lambda: service.log().count('"delivering"') >= n_workers, "all workers")
            yield opened
        finally:
            opened.close()


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still live."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processor_s(pid: int) -> float:
    """Return the processor time of a process, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _worker_name(pid: int) -> str:
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    [name] = [v.partition("=")[2] for v in variables if v.startswith("BROKER_KAFKA__WORKER=")]
    return name
