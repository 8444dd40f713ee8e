"""The embedded Kafka: any client reaches it, faults can be injected, nothing is left behind."""

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from broker_classifier.errors import SetupError
from broker_classifier.streams import _mock_cluster
from broker_classifier.streams.embedded_kafka import EmbeddedKafka, embedded_kafka

PRODUCE = 0
NOT_LEADER = 6


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with embedded_kafka({"alerts": 3}) as running:
        yield running


def test_a_topic_has_the_partitions_it_was_asked_to_have(kafka: EmbeddedKafka) -> None:
    topics = _producer(kafka).list_topics(timeout=10).topics
    assert len(topics["alerts"].partitions) == 3


def test_what_is_produced_is_consumed(kafka: EmbeddedKafka) -> None:
    sent = [f"alert {i}".encode() for i in range(100)]
    _produce(kafka, sent)
    assert sorted(_consume(kafka, len(sent))) == sorted(sent)


def test_another_process_reaches_the_broker_by_its_address(kafka: EmbeddedKafka) -> None:
    script = (
        "import sys, confluent_kafka as k; p = k.Producer({'bootstrap.servers': sys.argv[1]});"
        "p.produce('alerts', b'from afar'); sys.exit(p.flush(10))"
    )
    subprocess.run([sys.executable, "-c", script, kafka.bootstrap_servers], check=True)
    assert _consume(kafka, 1) == [b"from afar"]


def test_creating_a_topic_twice_says_that_it_exists(kafka: EmbeddedKafka) -> None:
    with pytest.raises(SetupError, match=r"alerts.*exists already"):
        kafka.create_topic("alerts")


def test_an_attempt_to_create_topics_as_a_client_is_refused_at_once(kafka: EmbeddedKafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    started = time.monotonic()
    with pytest.raises(KafkaException):
        admin.create_topics([NewTopic("more", 1)])["more"].result()
    assert time.monotonic() - started < 5


def test_a_stopped_broker_takes_nothing_until_it_restarts(kafka: EmbeddedKafka) -> None:
    producer = _producer(kafka)
    producer.list_topics(timeout=10)
    kafka.stop_broker()
    producer.produce("alerts", b"held back")
    assert producer.flush(0.5) == 1
    kafka.restart_broker()
    assert producer.flush(10) == 0
    assert _consume(kafka, 1) == [b"held back"]


def test_an_injected_error_reaches_the_producer(kafka: EmbeddedKafka) -> None:
    kafka.fail_requests(PRODUCE, [KafkaError.MSG_SIZE_TOO_LARGE])
    errors: list[KafkaError | None] = []
    producer = _producer(kafka)
    producer.produce("alerts", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(10)
    assert [error and error.code() for error in errors] == [KafkaError.MSG_SIZE_TOO_LARGE]


def test_a_retriable_error_is_overcome(kafka: EmbeddedKafka) -> None:
    kafka.fail_requests(PRODUCE, [NOT_LEADER, NOT_LEADER])
    _produce(kafka, [b"once"])
    assert _consume(kafka, 1) == [b"once"]


def test_nothing_listens_after_the_block() -> None:
    with embedded_kafka() as kafka:
        assert _accepts_connections(kafka.bootstrap_servers)
    assert not _accepts_connections(kafka.bootstrap_servers)


def test_it_dies_with_a_parent_that_is_killed() -> None:
    script = (
        "import sys, time; from broker_classifier.streams.embedded_kafka import EmbeddedKafka;"
        "sys.stdout.write(EmbeddedKafka().bootstrap_servers + '\\n'); sys.stdout.flush();"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=PIPE, text=True) as parent:
        assert parent.stdout is not None
        bootstrap_servers = parent.stdout.readline().strip()
        assert _accepts_connections(bootstrap_servers)
        parent.kill()
    assert _stops_accepting_connections(bootstrap_servers)


def test_a_missing_library_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mock_cluster, "_WHEEL_LIBRARIES", ())
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    with pytest.raises(OSError, match="install confluent-kafka from a PyPI wheel"):
        _mock_cluster.library_path()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("""print('{"answer": "", "error": "no librdkafka"}')""", "no librdkafka"),
        ("raise SystemExit(3)", "exit code 3"),
    ],
)
def test_a_cluster_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(
        "broker_classifier.streams.embedded_kafka._PROGRAM", tmp_path / "program.py"
    )
    with pytest.raises(SetupError, match=message):
        EmbeddedKafka()


def _producer(kafka: EmbeddedKafka) -> Producer:
    return Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})


def _produce(kafka: EmbeddedKafka, values: list[bytes]) -> None:
    producer = _producer(kafka)
    for value in values:
        producer.produce("alerts", value)
    assert producer.flush(10) == 0


def _consume(kafka: EmbeddedKafka, n: int) -> list[bytes]:
    settings = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "group.id": uuid.uuid4().hex,
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(settings)
    consumer.subscribe(["alerts"])
    messages = consumer.consume(n, timeout=10)
    consumer.close()
    return [message.value() or b"" for message in messages]


def _accepts_connections(bootstrap_servers: str) -> bool:
    host, port = bootstrap_servers.split(":")
    with socket.socket() as connection:
        return connection.connect_ex((host, int(port))) == 0


def _stops_accepting_connections(bootstrap_servers: str, timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while _accepts_connections(bootstrap_servers):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
