"""Open the Kafkas of a service: one source a Kafka, and the destination of its results."""

import fcntl
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from broker_classifier.config import Settings
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import ConfigError, OutputUnavailableError
from broker_classifier.streams.kafka_clients import administrator
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.kafka_sources import KafkaSources
from broker_classifier.streams.message import Sink, Source
from broker_classifier.streams.transactional_sink import TransactionalSink

EXACTLY_ONCE, AT_LEAST_ONCE = "exactly_once", "at_least_once"
EMBEDDED = "mockCluster"  # how the cluster id of librdkafka's embedded broker begins
METADATA_TIMEOUT_S = 3.0

Inputs = list[tuple[KafkaSettings, dict[str, tuple[str, ...]]]]


def inputs_of(settings: Settings) -> Inputs:
    """Return every Kafka that is read, with the topics of its streams."""
    groups: dict[Any, tuple[KafkaSettings, dict[str, tuple[str, ...]]]] = {}
    for stream, survey in settings.surveys.items():
        kafka = settings.kafka_of(stream)
        client = tuple(sorted(kafka.client.items()))
        key = kafka.bootstrap_servers, kafka.group_id, client
        if survey.topics:
            groups.setdefault(key, (kafka, {}))[1][str(stream)] = survey.topics
    return list(groups.values()) or [(settings.kafka, {})]


def delivery_of(settings: Settings, inputs: Inputs) -> str:
    """Decide how results are delivered; ask Kafka whether it has transactions.

    Raises
    ------
    ConfigError
        If exactly once is asked for and cannot be had.
    OutputUnavailableError
        If Kafka does not answer.
    """
    if settings.kafka.delivery == AT_LEAST_ONCE:
        return AT_LEAST_ONCE
    hindrance = _hindrance(settings, inputs)
    if not hindrance:
        return EXACTLY_ONCE
    if settings.kafka.delivery == EXACTLY_ONCE:
        raise ConfigError("kafka.delivery: " + hindrance)
    return AT_LEAST_ONCE


def _hindrance(settings: Settings, inputs: Inputs) -> str:
    """Say why results cannot be delivered exactly once, and what to do; nothing if they can."""
    results_at = settings.kafka.bootstrap_servers
    if len(inputs) > 1 or inputs[0][0].bootstrap_servers != results_at:
        others = ", ".join(kafka.bootstrap_servers for kafka, _ in inputs)
        return (
            f"exactly_once needs alerts and results on one Kafka in one group; "
            f"alerts come from {others}, results go to {results_at}; set at_least_once"
        )
    if _is_embedded(settings.kafka.output):
        return (
            "the embedded Kafka has no transactions that hold; set at_least_once, or run a real one"
        )
    return ""


def _is_embedded(kafka: KafkaSettings) -> bool:
    return cluster_of(kafka).startswith(EMBEDDED)


def cluster_of(kafka: KafkaSettings) -> str:
    """Ask a Kafka for its cluster's id.

    Raises
    ------
    OutputUnavailableError
        If it does not answer.
    """
    try:
        answer = administrator(kafka).list_topics(timeout=METADATA_TIMEOUT_S)
    except KafkaException as error:
        msg = f"Kafka at {kafka.bootstrap_servers} does not answer: {error.args[0].str()}"
        raise OutputUnavailableError(msg) from error
    return str(answer.cluster_id or "")


def open_ends(settings: Settings, delivery: str, worker: str) -> tuple[Source, Sink]:
    """Open the source and the destination of a worker."""
    inputs, output = inputs_of(settings), settings.kafka.output
    if delivery == EXACTLY_ONCE:
        kafka, topics = inputs[0]
        reader = KafkaSource(kafka, topics, worker=worker, commits=False)
        return reader, TransactionalSink(output, reader, worker, settings.written_topics)

    def open_source(kafka: KafkaSettings, topics: Mapping[str, Sequence[str]]) -> KafkaSource:
        return KafkaSource(kafka, topics, worker=worker if _keeps_members(kafka) else "")

    source: Source = (
        open_source(*inputs[0]) if len(inputs) == 1 else KafkaSources(inputs, open_source)
    )
    return source, KafkaSink(output, settings.written_topics)


def _keeps_members(kafka: KafkaSettings) -> bool:
    """Tell whether a member that is started again has its partitions back under its name.

    The embedded Kafka leaves them with the member that is gone.
    """
    try:
        return not _is_embedded(kafka)
    except OutputUnavailableError:
        return True


@contextmanager
def worker_name(kafka: KafkaSettings) -> Iterator[str]:
    """Give this process a name that it gets again when it is started anew on this machine.

    The name of the settings, or the machine's with the lowest number that no other worker of the
    group has here; a lock that ends with the process says so.
    """
    if kafka.worker:
        yield kafka.worker
        return
    group = sha256(f"{kafka.bootstrap_servers} {kafka.group_id}".encode()).hexdigest()[:12]
    number = 0
    while True:
        path = Path(tempfile.gettempdir()) / f"broker-classifier-{group}-{number}.lock"
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
                continue
            yield f"{platform.node()}-{number}"
            return
