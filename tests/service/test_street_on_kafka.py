"""The real service on a real broker and on the embedded one, seen by clients that are not ours."""

import json
import random
import subprocess
import urllib.error
import urllib.request

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer
from structlog.testing import capture_logs

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import ConfigError, OutputUnavailableError
from broker_classifier.streams.classification import parse
from broker_classifier.streams.embedded_kafka import embedded_kafka
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Outgoing
from broker_classifier.streams.subscribe import subscribe
from tests.kafka_streets import read_topic, send, service, wait_until
from tests.ports import free_port
from tests.tools import program
from tests.ztf_packets import flare

NIGHT = [packet for name in ("ZTF1", "ZTF2", "ZTF3") for packet in flare(name, n=10)]
BAD = [b"", b"no avro", NIGHT[0][:-40], b"Obj\x01" + bytes(50)]


@pytest.fixture
def served(kafka, unique, tmp_path):
    with service(kafka.bootstrap_servers, unique, tmp_path) as worker:
        yield worker


def test_every_alert_is_classified_and_an_independent_client_reads_it(served):
    send(served.bootstrap_servers, served.input, NIGHT)
    messages = read_topic(served.bootstrap_servers, served.output, len(NIGHT))
    contents = [json.loads(message.value) for message in messages]
    assert len({content["alert_id"] for content in contents}) == len(NIGHT) == len(messages)
    for message, content in zip(messages, contents, strict=True):
        assert message.key.decode() == content["object_id"]
        headers = {name: value.decode() for name, value in message.headers}
        assert headers["survey"] == "ztf"
        assert headers["class"] == content["class"]
        assert float(headers["probability"]) == pytest.approx(content["probability"], abs=1e-6)


@pytest.mark.kafka
def test_kafka_python_reads_what_we_write(real_kafka, unique, tmp_path):
    with service(real_kafka.bootstrap_servers, unique, tmp_path) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:5])
        worker.wait_for(received=5)
        consumer = KafkaConsumer(
            worker.output,
            bootstrap_servers=worker.bootstrap_servers,
            auto_offset_reset="earliest",
            group_id=None,
            consumer_timeout_ms=5000,
        )
        assert [parse(message.value).n_points_used for message in consumer] == [1, 2, 3, 4, 5]
        consumer.close()


def test_subscribers_filter_by_class_probability_and_object(served):
    send(served.bootstrap_servers, served.input, NIGHT)
    served.wait_for(received=len(NIGHT))

    def read(**filters):
        options = {"from_beginning": True, "idle_timeout_s": 2.0}
        found = subscribe(served.bootstrap_servers, served.output, **options, **filters)
        return sorted(found, key=lambda message: message.alert_id)

    everything = read()
    assert len(everything) == len(NIGHT)
    top = everything[-1].top_class
    assert read(classes=[top]) == [m for m in everything if m.top_class == top]
    assert read(min_probability=0.5) == [m for m in everything if m.probability >= 0.5]
    assert [m.object_id for m in read(object_ids=["ZTF2"])] == ["ZTF2"] * 10
    assert read(min_points=3) == [m for m in everything if m.n_points_used >= 3]
    assert read(min_bits=0.5) == [m for m in everything if m.information_bits >= 0.5]
    assert read(model="ztf-transients", survey="ztf") == everything
    with capture_logs() as lines:
        assert read(model="ztf-kilonovae") == read(survey="lsst") == []
    unseen = [(line["asked_for"], line["recent"]) for line in lines if "asked_for" in line]
    assert unseen == [("ztf-kilonovae", ["ztf-transients"]), ("lsst", ["ztf"])]
    likely = [m for m in everything if m.probabilities["SNII"] > 0.1 and m.n_points_used > 2]
    assert read(where="SNII > 0.1 and points > 2") == likely
    with pytest.raises(ConfigError, match=r"has the class SLSN; .* did you mean SLSN-I"):
        read(where="SLSN > 0.1")


def test_subscribing_at_a_wrong_address_says_so():
    port = free_port()
    with pytest.raises(OutputUnavailableError, match=f"no Kafka answers at 127.0.0.1:{port}"):
        next(subscribe(f"127.0.0.1:{port}"))


def test_a_killed_service_loses_nothing_and_repeats_are_recognisable(kafka, unique, tmp_path):
    with service(kafka.bootstrap_servers, unique, tmp_path, BROKER_KAFKA__BATCH_SIZE="3") as worker:
        for part in range(3):
            send(worker.bootstrap_servers, worker.input, NIGHT[part * 10 : part * 10 + 10])
            wanted = part * 10 + 4
            assert len(read_topic(worker.bootstrap_servers, worker.output, wanted)) >= wanted
            worker.kill()
            worker.start()
        one_of_each = wait_until(
            lambda: ids if len(ids := ids_in(worker)) == len(NIGHT) else None,
            "every alert's answer",
        )
        assert len(one_of_each) == len(NIGHT)


def ids_in(worker):
    messages = read_topic(worker.bootstrap_servers, worker.output, 10**6, timeout_s=2.0)
    return {dict(message.headers)["id"] for message in messages}


def test_sigterm_ends_the_service_cleanly_and_a_restart_goes_on_behind_it(served):
    send(served.bootstrap_servers, served.input, NIGHT[:10])
    served.wait_for(received=10)
    assert served.stop() == 0
    assert '"stopped"' in served.log()
    send(served.bootstrap_servers, served.input, NIGHT[10:20])
    served.start()
    assert served.wait_for(received=10) == accounting(received=10, classified=10)
    assert len(read_topic(served.bootstrap_servers, served.output, 21, timeout_s=3.0)) == 20


def test_a_broker_that_goes_away_is_waited_for(own_kafka, unique, tmp_path):
    with service(own_kafka.bootstrap_servers, unique, tmp_path) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:10])
        worker.wait_for(received=10)
        own_kafka.stop_broker()
        own_kafka.restart_broker()
        send(worker.bootstrap_servers, worker.input, NIGHT[10:20])
        assert worker.wait_for(received=20)["classified"] >= 20
        assert len(ids_in(worker)) == 20


def test_health_answers_while_the_loop_runs(served):
    with urllib.request.urlopen(served.url("/health")) as answer:
        assert (answer.status, answer.read()) == (200, b"ok\n")


def test_latencies_and_counts_are_exported(served):
    send(served.bootstrap_servers, served.input, NIGHT[:10])
    served.wait_for(received=10)
    metrics = served.metrics()
    assert metrics["broker_kafka_latency_seconds_count"] == 10
    assert metrics["broker_latency_seconds_count"] == 10
    assert 0 < metrics["broker_kafka_latency_seconds_sum"] < 10 * 60
    wait_until(lambda: served.metrics()["broker_objects"] == 1, "the number of objects")


def accounting(received, **outcomes):
    names = ("classified", "declined", "duplicate", "withdrawn", "dead_lettered")
    return {"received": received} | dict.fromkeys(names, 0) | outcomes


@pytest.mark.kafka
def test_what_is_too_large_for_its_topic_is_published_without_its_value(real_kafka, unique):
    topic = f"small-{unique}"
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    small = NewTopic(topic, 1, config={"max.message.bytes": "9000"})
    admin.create_topics([small])[topic].result()
    sink = KafkaSink(KafkaSettings(bootstrap_servers=real_kafka.bootstrap_servers))
    noise = random.Random(0).randbytes(20_000)
    of_a_letter = {"id": "1", "topic": "ztf", "size": "20000"}
    sink.publish([Outgoing(topic, b"k", noise, of_a_letter), Outgoing(topic, b"k", b"small")])
    messages = read_topic(real_kafka.bootstrap_servers, topic, 2)
    assert sorted(message.value for message in messages) == [b"", b"small"]
    [stub] = [dict(message.headers) for message in messages if message.headers]
    assert stub["id"] == b"1"
    assert stub["omitted"].startswith(b"20000 bytes")


def test_a_batch_size_of_one_is_fine(kafka, unique, tmp_path):
    with service(kafka.bootstrap_servers, unique, tmp_path, BROKER_KAFKA__BATCH_SIZE="1") as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:3])
        assert worker.wait_for(received=3)["classified"] == 3


@pytest.mark.kafka
def test_kcat_reads_keys_headers_and_json(real_kafka, unique, tmp_path):
    with service(real_kafka.bootstrap_servers, unique, tmp_path) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:5])
        worker.wait_for(received=5)
        place = ["-C", "-b", worker.bootstrap_servers, "-t", worker.output, "-o", "beginning"]
        command = [program("kcat", "kcat"), *place, "-e", "-q", "-f", "%k\\t%h\\t%s\\n"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        rows = [line.split("\t") for line in lines.stdout.splitlines()]
        assert [key for key, _, _ in rows] == ["ZTF1"] * 5
        for _, headers, value in rows:
            told = dict(pair.split("=", 1) for pair in headers.split(","))
            assert told["class"] == json.loads(value)["class"]


OFFSET_COMMIT = 8
COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, TOPIC_AUTHORIZATION_FAILED = 15, 16, 29


@pytest.mark.parametrize(
    "error", [COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, TOPIC_AUTHORIZATION_FAILED]
)
def test_a_refused_commit_is_no_end(unique, error):
    with embedded_kafka({f"ztf_{unique}": 1}) as broker:
        send(broker.bootstrap_servers, f"ztf_{unique}", NIGHT[:2])
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, group_id=unique)
        source = KafkaSource(settings, {"ztf": [f"ztf_{unique}"]})
        messages = wait_until(source.poll, "the alerts")
        broker.fail_requests(OFFSET_COMMIT, [error] * 20)
        source.commit(messages)
        source.close()


def test_what_was_committed_is_not_read_again(real_kafka, unique):
    topic = f"ztf_{unique}"
    real_kafka.create_topic(topic)
    send(real_kafka.bootstrap_servers, topic, NIGHT[:3])
    settings = KafkaSettings(
        bootstrap_servers=real_kafka.bootstrap_servers, group_id=unique, batch_size=1
    )
    read = []
    for _ in range(3):
        source = KafkaSource(settings, {"ztf": [topic]})
        messages = wait_until(source.poll, "an alert")
        source.commit(messages)
        source.close()
        read += [message.offset for message in messages]
    assert read == [0, 1, 2]


def test_health_says_that_kafka_is_waited_for(unique, tmp_path):
    with service("127.0.0.1:1", unique, tmp_path) as worker:

        def unwell():
            try:
                urllib.request.urlopen(worker.url("/health")).close()
            except urllib.error.HTTPError as error:
                with error:
                    return error.read()

        sentence = wait_until(unwell, "a 503").decode()
        assert sentence.startswith("waiting for the input since 20")
        assert worker.bootstrap_servers in sentence
        assert worker.stop() == 0
