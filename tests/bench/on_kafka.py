"""A real Kafka and a real service for benchmarks, each kept to its share of the processor."""

import itertools
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import orjson
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.service.process import keep_freed_memory
from broker_classifier.streams.kafka_source import KafkaSource
from tests.kafka_brokers import RealKafka, running_kafka
from tests.kafka_sources import ADVICE, obtain_kafka
from tests.kafka_streets import service, wait_until

CORES = os.sched_getaffinity(0)
SERVICE_CORES = {0}
WAIT_S = 300.0
_words = itertools.count()


@contextmanager
def kept_to(cores: set[int]) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, to some of its first cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & CORES or CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def bench_kafka() -> Iterator[RealKafka]:
    """Run a real Kafka on the other cores; its data go when it ends."""
    source = obtain_kafka(own=True)
    if source is None:
        raise SystemExit(ADVICE)
    with (
        tempfile.TemporaryDirectory() as folder,
        kept_to(CORES - SERVICE_CORES),
        running_kafka(source, Path(folder) / "kafka") as kafka,
    ):
        yield kafka


def load(kafka: RealKafka, topic: str, packets: Iterable[bytes], partitions: int = 4) -> None:
    """Make a topic and put packets into its partitions in turn."""
    kafka.create_topic(topic, partitions)
    put(kafka, topic, packets, partitions)


def put(kafka: RealKafka, topic: str, packets: Iterable[bytes], partitions: int) -> None:
    """Put packets into a topic's partitions in turn, as fast as Kafka takes them."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 5})
    for i, packet in enumerate(packets):
        while True:
            try:
                producer.produce(topic, packet, partition=i % partitions)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(WAIT_S) == 0


def consumed_per_s(kafka: RealKafka, topic: str, n: int, *, keeps_memory: bool) -> float:
    """Merely consume a topic with the service's own client, in a process on the service's core.

    Parameters
    ----------
    keeps_memory : bool
        As the service's process does; see `broker_classifier.service.process`.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        arguments = kafka.bootstrap_servers, topic, n, f"mere-{next(_words)}", keeps_memory
        return pool.submit(_consumed_per_s, *arguments).result(WAIT_S)


def _consumed_per_s(
    bootstrap_servers: str, topic: str, n: int, group_id: str, keeps_memory: bool
) -> float:
    if keeps_memory:
        keep_freed_memory()
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, group_id=group_id)
    arrived: list[tuple[float, int]] = []
    with kept_to(SERVICE_CORES), closing(KafkaSource(settings, {"ztf": [topic]})) as source:
        while sum(count for _, count in arrived) < n:
            if messages := source.poll():
                arrived.append((time.perf_counter(), len(messages)))
    (first, n_first), (last, _) = arrived[0], arrived[-1]
    return (n - n_first) / (last - first)


@contextmanager
def serving(
    kafka: RealKafka, topic: str, survey: str, cores: set[int], **variables: str
) -> Iterator[str]:
    """Let a new service with an empty store read a topic; give its output topic."""
    variables |= {f"BROKER_SURVEYS__{survey.upper()}__TOPICS": json.dumps([topic])}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        word = f"bench-{next(_words)}"
        with kept_to(cores):
            started = service(kafka.bootstrap_servers, word, Path(folder), **variables)
            opened = stack.enter_context(started)
        yield opened.output


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
                content = orjson.loads(message.value() or b"{}")
                received = datetime.fromisoformat(content["times"]["received"])
                times.append((received.timestamp(), message.timestamp()[1] / 1000.0))
    return sorted(times, key=lambda pair: pair[1])
