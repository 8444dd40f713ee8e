"""Workers on a real Kafka and a real Valkey, killed at random moments; seen by another client."""

import json
import os
import random
import time
from collections import defaultdict

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource

from broker_classifier.config import Settings
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.service.workers import end_transaction
from broker_classifier.streams.embedded_kafka import embedded_kafka
from broker_classifier.streams.kafka_sink import create_topics
from broker_classifier.streams.transactional_sink import open_producer, transactional_id
from tests.kafka_streets import read_topic, send, service, services, wait_until
from tests.streets import standing, walk
from tests.valkey_servers import server
from tests.ztf_packets import flare

N_KILLS = int(os.environ.get("FAULT_KILLS", "2"))  # of each test; more under `make faults`
LONG = pytest.mark.skipif("FAULT_KILLS" not in os.environ, reason="exactly once: make faults")
NAMES = [f"ZTF{i}" for i in range(12)]
NIGHT = [packet for name in NAMES for packet in flare(name, n=14)]


@pytest.fixture
def store_url(tmp_path):
    with server(tmp_path / "valkey") as started:
        yield started.url


def wait_for_word(worker, word):
    wait_until(lambda: word in worker.log(), f"{word}: {worker.log()}")


def answers_of(messages):
    """The answers that stand, of messages as another client read them."""
    return {
        content["alert_id"]: content
        for content in sorted(
            (json.loads(message.value) for message in messages),
            key=lambda content: content["curve_version"],
        )
    }


def read_all(worker, n_alerts):
    """Read the output until it has an answer for so many alerts, and then what is left."""
    seen = []

    def is_whole():
        seen[:] = read_topic(worker.bootstrap_servers, worker.output, 10**6, timeout_s=2.0)
        return len({dict(message.headers)["id"] for message in seen}) >= n_alerts

    wait_until(is_whole, f"{n_alerts} answers: {worker.log()[-3000:]}", timeout_s=120.0)
    return seen


def assert_right(messages, packets, *, exactly_once):
    right, answers = standing(walk(packets)[1].sent), answers_of(messages)
    assert answers.keys() == right.keys()
    for alert_id, content in answers.items():
        assert content["probabilities"] == pytest.approx(right[alert_id]["probabilities"], abs=2e-5)
    firsts = defaultdict(list)
    for message in messages:
        headers = dict(message.headers)
        if headers["revised"] == b"false":
            firsts[headers["id"]].append((message.partition, message.offset, message.timestamp))
    assert not exactly_once or [places for places in firsts.values() if len(places) > 1] == []


@pytest.mark.parametrize(
    ("delivery", "n_workers"),
    [
        pytest.param("exactly_once", 1, marks=LONG),
        pytest.param("exactly_once", 2, marks=LONG),
        ("at_least_once", 2),
    ],
)
def test_killed_workers_lose_nothing_and_agree_in_the_end(
    real_kafka, unique, tmp_path, store_url, delivery, n_workers
):
    real_kafka.create_topic(f"ztf_{unique}", partitions=4)
    rng, shuffled = random.Random(unique), random.Random(1).sample(NIGHT, len(NIGHT))
    variables = {
        "BROKER_STORE__PATH": store_url,
        "BROKER_KAFKA__DELIVERY": delivery,
        "BROKER_KAFKA__BATCH_SIZE": "7",
    }
    bootstrap_servers = real_kafka.bootstrap_servers
    with services(n_workers, bootstrap_servers, unique, tmp_path, **variables) as workers:
        size = len(shuffled) // N_KILLS
        for first in range(0, len(shuffled), size):
            send(bootstrap_servers, f"ztf_{unique}", shuffled[first : first + size])
            victim = rng.choice(workers)
            wait_for_word(victim, "delivering")
            time.sleep(rng.random())
            victim.kill()
            victim.start()
        messages = read_all(workers[0], len(NIGHT))
        assert_right(messages, NIGHT, exactly_once=delivery == "exactly_once")


@pytest.mark.parametrize("end", ["stop_broker", pytest.param("crash", marks=LONG)])
def test_exactly_once_goes_on_by_itself_when_its_kafka_was_restarted(
    own_real_kafka, unique, tmp_path, end
):
    own_real_kafka.create_topic(f"ztf_{unique}", partitions=2)
    variables = {"BROKER_KAFKA__DELIVERY": "exactly_once", "BROKER_KAFKA__WORKER": unique}
    half = len(NIGHT) // 2
    with service(own_real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:half])
        worker.wait_for(received=half)
        getattr(own_real_kafka, end)()
        own_real_kafka.restart_broker()
        send(worker.bootstrap_servers, worker.input, NIGHT[half:])
        worker.wait_for(received=len(NIGHT))
        assert_right(read_all(worker, len(NIGHT)), NIGHT, exactly_once=True)


def test_a_killed_worker_that_is_started_again_goes_on_at_once(
    real_kafka, unique, tmp_path, store_url
):
    real_kafka.create_topic(f"ztf_{unique}", partitions=2)
    variables = {"BROKER_STORE__PATH": store_url, "BROKER_KAFKA__WORKER": unique}
    with service(real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:10])
        read_all(worker, 10)
        worker.kill()
        send(worker.bootstrap_servers, worker.input, NIGHT[10:20])
        started = time.monotonic()
        worker.start()
        wait_until(lambda: len(ids_in(worker)) == 20, "the next results")
        assert time.monotonic() - started < 30.0  # the session of a group takes 45 s


def test_what_a_dead_worker_had_open_holds_back_no_other_workers_results(real_kafka, unique):
    settings = Settings(
        kafka={"bootstrap_servers": real_kafka.bootstrap_servers, "group_id": unique}
    )
    real_kafka.create_topic(unique)
    dead = open_producer(settings.kafka, transactional_id(settings.kafka, "dead"))
    dead.init_transactions()
    dead.begin_transaction()
    dead.produce(unique, b"of the dead")
    dead.flush()
    send(real_kafka.bootstrap_servers, unique, [b"of another"])
    assert read_topic(real_kafka.bootstrap_servers, unique, 1, timeout_s=1.0) == []
    end_transaction(settings, "dead")
    [message] = read_topic(real_kafka.bootstrap_servers, unique, 1)
    assert message.value == b"of another"


def ids_in(worker):
    messages = read_topic(worker.bootstrap_servers, worker.output, 10**6, timeout_s=0.5)
    return {dict(message.headers)["id"] for message in messages}


def test_alerts_of_another_kafka_are_answered_on_ours(real_kafka, unique, tmp_path):
    with embedded_kafka({f"ztf_{unique}": 2}) as survey:
        variables = {
            "BROKER_SURVEYS__ZTF__BOOTSTRAP_SERVERS": survey.bootstrap_servers,
            "BROKER_SURVEYS__ZTF__CLIENT": '{"client.id": "survey"}',
            "BROKER_SURVEYS__LSST__BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "BROKER_SURVEYS__LSST__TOPICS": f'["lsst_{unique}"]',
        }
        with service(real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
            send(survey.bootstrap_servers, worker.input, NIGHT[:10])
            assert worker.wait_for(received=10)["classified"] == 10
            assert len(ids_in(worker)) == 10
            connected = wait_until(
                lambda: [v for k, v in worker.metrics().items() if "input_connected" in k][1:],
                "the metrics",
            )
            assert '"at_least_once"' in worker.log()
            assert connected
            assert wait_until(lambda: "kafka is away" in worker.log(), "the word of it")


def test_exactly_once_over_two_kafkas_is_refused(real_kafka, unique, tmp_path):
    variables = {
        "BROKER_SURVEYS__ZTF__BOOTSTRAP_SERVERS": "survey.example:9092",
        "BROKER_KAFKA__DELIVERY": "exactly_once",
    }
    with service(real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
        wait_until(lambda: "set at_least_once" in worker.log(), "the refusal")


def test_topics_are_made_as_the_settings_say(real_kafka, unique):
    settings = KafkaSettings(
        bootstrap_servers=real_kafka.bootstrap_servers,
        partitions=5,
        replication=1,
        retention_days=2,
    )
    create_topics(settings, [unique])
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    assert len(admin.list_topics(unique, timeout=10).topics[unique].partitions) == 5
    resource = ConfigResource(ConfigResource.Type.TOPIC, unique)
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["retention.ms"].value == str(2 * 86_400_000)
