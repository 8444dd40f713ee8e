"""Stores that are lost and topics that are read again, on a real Kafka and real stores."""

import json
import shutil
import time
import urllib.request
from datetime import UTC, datetime

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from broker_classifier.cli.main import app
from broker_classifier.cli.recover_commands import REPROCESSED
from tests.kafka_streets import Service, read_topic, send, service, wait_until
from tests.service.test_rebuild import NAMES, NIGHT
from tests.service.test_workers_on_kafka import answers_of, read_all
from tests.streets import standing, walk
from tests.valkey_servers import server
from tests.ztf_packets import flare

N = 14  # alerts an object; packets tell of 30 days, so the last two do not know the first three
EARLY = [packet for name in NAMES for packet in flare(name, n=N)[:-2]]
LAST = [packet for name in NAMES for packet in flare(name, n=N)[-2:]]
RIGHT = standing(walk(NIGHT)[1].sent)


@pytest.fixture
def valkey(tmp_path):
    with server(tmp_path / "valkey") as started:
        yield started


def call(worker, *arguments):
    ended = CliRunner().invoke(app, [*map(str, arguments)], env=worker.environment)
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout.splitlines()[-1])


def differing(answers):
    """The alerts whose answer is not the one that one pass over all alerts gives."""
    assert answers.keys() == RIGHT.keys()
    return {
        alert_id
        for alert_id, content in answers.items()
        if content["probabilities"] != pytest.approx(RIGHT[alert_id]["probabilities"], abs=2e-5)
    }


def all_agree(worker):
    return not differing(answers_of(read_all(worker, len(NIGHT))))


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_topics_read_again_and_reprocessed_say_what_classify_says(
    real_kafka, unique, tmp_path, request, kind
):
    real_kafka.create_topic(f"ztf_{unique}", partitions=3)
    worker = Service(real_kafka.bootstrap_servers, unique, tmp_path)
    topic, to = REPROCESSED, ()
    if kind == "server":
        topic = f"reprocessed-{unique}"
        to = "--topic", topic
        worker.environment["BROKER_STORE__PATH"] = request.getfixturevalue("valkey").url
    send(worker.bootstrap_servers, worker.input, [*NIGHT, b"no avro", NIGHT[0]])
    counts = call(worker, "rebuild")
    assert counts["alerts_read"] == len(NIGHT) + 2
    assert (counts["alerts_new"], counts["already_known"]) == (len(NIGHT), 1)
    assert (counts["unreadable"], counts["points_new"], counts["objects_begun"]) == (1, 42, 3)
    assert nothing_is_published_or_committed(worker)
    assert call(worker, "rebuild")["already_known"] == len(NIGHT) + 1
    assert call(worker, "reprocess", *to)["answers"] == len(NIGHT)
    messages = read_topic(worker.bootstrap_servers, topic, len(NIGHT))
    assert differing(answers_of(messages)) == set()


def nothing_is_published_or_committed(worker):
    topics = AdminClient({"bootstrap.servers": worker.bootstrap_servers}).list_topics().topics
    group = worker.environment["BROKER_KAFKA__GROUP_ID"]
    consumer = Consumer({"bootstrap.servers": worker.bootstrap_servers, "group.id": group})
    places = consumer.committed([TopicPartition(worker.input, n) for n in range(3)], timeout=10)
    consumer.close()
    return not {worker.output, worker.dead_letters} & topics.keys() and all(
        place.offset < 0 for place in places
    )


def test_a_store_lost_under_a_running_worker_heals_and_is_rebuilt_beside_it(
    real_kafka, unique, tmp_path, valkey
):
    variables = {"BROKER_STORE__PATH": valkey.url}
    with service(real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
        send(worker.bootstrap_servers, worker.input, EARLY)
        worker.wait_for(received=len(EARLY))
        wait_until(lambda: worker.metrics()["broker_objects"] == 3, "the count of objects")
        valkey.client().flushall()
        wait_until(lambda: "the store has lost objects" in worker.log(), "the word of the loss")
        with urllib.request.urlopen(worker.url("/health")) as answer:
            assert answer.read().startswith(b"ok; the store lost 3 of 3 objects at 20")
        send(worker.bootstrap_servers, worker.input, LAST)
        counted = worker.wait_for(received=len(NIGHT))
        assert counted["classified"] == len(NIGHT)
        assert begun(worker) == {"none": 3, "detections": 3}
        assert len(differing(answers_of(read_all(worker, len(NIGHT))))) == len(LAST)
        counts = call(worker, "rebuild")
        assert counts["alerts_new"] == len(EARLY)
        assert (counts["points_new"], counts["objects_begun"]) == (3 * 3, 0)
        call(worker, "reprocess", "--topic", worker.output)
        wait_until(lambda: all_agree(worker), "answers from all points")
        send(worker.bootstrap_servers, worker.input, flare("ZTF4", n=2))
        assert worker.wait_for(received=len(NIGHT) + 2)["classified"] == len(NIGHT) + 2


def begun(worker):
    metrics = worker.metrics()
    return {
        kind: metrics[f'broker_objects_begun_total{{history="{kind}"}}']
        for kind in ("none", "detections")
    }


def test_a_folder_that_is_lost_heals_and_is_rebuilt_while_the_service_stands(
    real_kafka, unique, tmp_path
):
    with service(real_kafka.bootstrap_servers, unique, tmp_path) as worker:
        send(worker.bootstrap_servers, worker.input, EARLY)
        worker.wait_for(received=len(EARLY))
        assert worker.stop() == 0
        shutil.rmtree(tmp_path / "store")
        send(worker.bootstrap_servers, worker.input, LAST)
        worker.start()
        worker.wait_for(received=len(LAST))
        assert begun(worker) == {"none": 0, "detections": 3}
        wait_until(lambda: "objects begun anew" in worker.log(), "the word of them")
        refused = CliRunner().invoke(app, ["rebuild"], env=worker.environment)
        assert refused.exit_code == 2
        assert "stop that process first" in refused.output
        beside = tmp_path / "beside.jsonl"
        assert call(worker, "reprocess", "--output", beside)["answers"] == len(LAST)
        assert worker.stop() == 0
        assert call(worker, "rebuild")["points_new"] == 3 * 3
        call(worker, "reprocess", "--topic", worker.output)
        wait_until(lambda: all_agree(worker), "answers from all points")


def test_only_what_came_since_a_date_is_read(real_kafka, unique, tmp_path):
    real_kafka.create_topic(f"ztf_{unique}", partitions=2)
    worker = Service(real_kafka.bootstrap_servers, unique, tmp_path)
    now_s = time.time()
    producer = Producer({"bootstrap.servers": worker.bootstrap_servers})
    for i, packet in enumerate(NIGHT[:20]):
        days_ago = 2 if i < 12 else 0
        producer.produce(worker.input, packet, timestamp=int((now_s - days_ago * 86_400) * 1000))
    assert producer.flush(30) == 0
    yesterday = datetime.fromtimestamp(now_s - 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert call(worker, "rebuild", "--since", yesterday)["alerts_read"] == 8
    tomorrow = datetime.fromtimestamp(now_s + 86_400, UTC).strftime("%Y-%m-%d")
    assert call(worker, "rebuild", "--since", tomorrow)["alerts_read"] == 0


def test_without_an_alert_topic_it_says_which_was_looked_for(real_kafka, unique, tmp_path):
    worker = Service(real_kafka.bootstrap_servers, unique, tmp_path)
    refused = CliRunner().invoke(app, ["rebuild"], env=worker.environment)
    assert refused.exit_code == 2
    assert f"(ztf_{unique}): correct surveys.<name>.topics" in refused.output
