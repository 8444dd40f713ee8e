"""A real Kafka and a real service for benchmarks, each kept to its share of the processor."""

import itertools
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from broker_classifier.config import KafkaSettings
from broker_classifier.streams.kafka import KafkaSource
from tests.kafka_brokers import RealKafka, running_kafka
from tests.kafka_sources import ADVICE, obtain_kafka
from tests.kafka_streets import service, wait_until

SERVICE_CORES = {0}
WAIT_S = 300.0
_words = itertools.count()


@contextmanager
def kept_to(cores: set[int]) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, to some of its cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def other_cores() -> set[int]:
    """Return the cores that are left for Kafka and its senders."""
    return os.sched_getaffinity(0) - SERVICE_CORES


@contextmanager
def bench_kafka() -> Iterator[RealKafka]:
    """Run a real Kafka on the other cores; its data go when it ends."""
    source = obtain_kafka(own=True)
    if source is None:
        raise SystemExit(ADVICE)
    with (
        tempfile.TemporaryDirectory() as folder,
        kept_to(other_cores()),
        running_kafka(source, Path(folder) / "kafka") as kafka,
    ):
        yield kafka


def load(kafka: RealKafka, topic: str, packets: Sequence[bytes], partitions: int = 4) -> None:
    """Make a topic and put packets into its partitions in turn."""
    kafka.create_topic(topic, partitions)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 5})
    for i, packet in enumerate(packets):
        while True:
            try:
                producer.produce(topic, packet, partition=i % partitions)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(WAIT_S) == 0


def consumed_per_s(kafka: RealKafka, topic: str, n: int) -> float:
    """Merely consume a topic with the service's own client on the service's cores."""
    settings = KafkaSettings(
        bootstrap_servers=kafka.bootstrap_servers, group_id=f"mere-{next(_words)}"
    )
    arrived: list[tuple[float, int]] = []
    with kept_to(SERVICE_CORES), closing(KafkaSource(settings, {"ztf": [topic]})) as source:
        while sum(count for _, count in arrived) < n:
            if messages := source.poll():
                arrived.append((time.perf_counter(), len(messages)))
    (first, n_first), (last, _) = arrived[0], arrived[-1]
    return (n - n_first) / (last - first)


def carried(
    kafka: RealKafka, topic: str, n: int, survey: str = "ztf", **variables: str
) -> list[tuple[float, float]]:
    """Let a new service carry a topic; return when each result was published, in order.

    Returns
    -------
    list of (float, float)
        Unix times (s): Kafka's of the alert's message, and Kafka's of its result.
    """
    word = f"bench-{next(_words)}"
    variables |= {f"BROKER_SURVEYS__{survey.upper()}__TOPICS": json.dumps([topic])}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        with kept_to(SERVICE_CORES):
            started = service(kafka.bootstrap_servers, word, Path(folder), **variables)
            opened = stack.enter_context(started)
        return results(kafka, opened.output, n)


def results(kafka: RealKafka, topic: str, n: int) -> list[tuple[float, float]]:
    """Wait until a topic holds n results, then read their times, in order of publication."""
    place = TopicPartition(topic, 0, 0)
    settings = {"bootstrap.servers": kafka.bootstrap_servers, "group.id": "bench-results"}
    with closing(Consumer(settings)) as consumer:

        def are_there() -> bool:
            try:
                return bool(consumer.get_watermark_offsets(place, timeout=10.0)[1] >= n)
            except KafkaException:  # the topic has just been made
                return False

        wait_until(are_there, f"{n} results in {topic}", WAIT_S)
        consumer.assign([place])
        times: list[tuple[float, float]] = []
        while len(times) < n:
            for message in consumer.consume(500, timeout=1.0):
                content = json.loads(message.value() or b"{}")
                received = datetime.fromisoformat(content["times"]["received"])
                times.append((received.timestamp(), message.timestamp()[1] / 1000.0))
    return sorted(times, key=lambda pair: pair[1])
