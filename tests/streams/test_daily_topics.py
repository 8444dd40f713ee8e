"""Where reading begins, and topics that come and go by the day, on a real Kafka."""

import json
import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.streams.kafka_source import KafkaSource
from tests.kafka_streets import send, service, wait_until
from tests.ztf_packets import flare

WITHIN_S = 30.0  # promised are 10; a Kafka that has just started takes longer over a first group
NIGHT = flare("ZTF1", n=6)


@pytest.fixture
def opened(real_kafka, unique):
    """Opens sources of one group, of topics whose names begin with `unique`."""
    sources = []

    def open_source(**settings):
        kafka = KafkaSettings(
            bootstrap_servers=real_kafka.bootstrap_servers,
            group_id=unique,
            poll_timeout_s=0.2,
            **settings,
        )
        sources.append(KafkaSource(kafka, {"ztf": [f"^{unique}_.*"]}))
        return sources[-1]

    yield open_source
    for source in sources:
        source.close()


def send_at(bootstrap_servers, topic, values):
    """Send messages that are stamped with dates."""
    producer = Producer({"bootstrap.servers": bootstrap_servers})
    for value, date in values.items():
        moment = datetime.fromisoformat(date).replace(tzinfo=UTC)
        producer.produce(topic, value, timestamp=int(moment.timestamp() * 1000))
    assert producer.flush(30) == 0


def read(source, n_messages, timeout_s=WITHIN_S):
    """Read and commit until there are so many messages."""
    values, deadline = [], time.monotonic() + timeout_s
    while len(values) < n_messages and time.monotonic() < deadline:
        messages = source.poll()
        source.commit(messages)
        values += [message.value.decode() for message in messages]
    return sorted(values)


def rest(source):
    """Read what else is there."""
    return read(source, 1, timeout_s=1.5)


def join(source):
    """Wait until it has partitions; nothing comes of them."""
    while not source._consumer.assignment():
        assert source.poll() == []


def delete(kafka, topic):
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    [deleted] = admin.delete_topics([topic]).values()
    deleted.result(30)


def test_a_date_holds_where_nothing_is_committed_also_for_topics_that_come_later(
    real_kafka, unique, opened
):
    servers = real_kafka.bootstrap_servers
    send_at(servers, f"{unique}_1", {"old": "2026-10-31T23:59:59", "new": "2026-11-01"})
    source = opened(since="2026-11-01")
    assert read(source, 1) == ["new"]
    send_at(servers, f"{unique}_2", {"late": "2026-10-01", "tonight": "2026-11-02"})
    assert read(source, 1) == ["tonight"]
    assert rest(source) == []
    source.close()
    send_at(servers, f"{unique}_1", {"backdated": "2026-10-01"})
    assert read(opened(since="2026-11-02"), 1) == ["backdated"]


def test_latest_passes_over_what_was_there_and_over_nothing_that_comes_later(
    real_kafka, unique, opened
):
    servers = real_kafka.bootstrap_servers
    send(servers, f"{unique}_1", ["before"])
    source = opened(auto_offset_reset="latest")
    join(source)
    send(servers, f"{unique}_2", ["at once in a new topic"])
    assert read(source, 1) == ["at once in a new topic"]
    source.close()
    send(servers, f"{unique}_1", ["while nobody read"])
    assert read(opened(auto_offset_reset="latest"), 1) == ["while nobody read"]


def test_a_topic_that_expires_is_dropped_without_a_word(real_kafka, unique, opened):
    servers = real_kafka.bootstrap_servers
    for night in (1, 2):
        send(servers, f"{unique}_{night}", [f"night {night}"])
    source = opened()
    assert read(source, 2) == ["night 1", "night 2"]
    send(servers, f"{unique}_1", ["in hand"])
    in_hand = wait_until(source.poll, "a message")
    with capture_logs() as logs:
        delete(real_kafka, f"{unique}_1")
        wait_until(lambda: source.poll() or source.is_gone(f"{unique}_1"), "its end")
        source.commit(in_hand)
        source.rewind()
        send(servers, f"{unique}_2", ["more"])
        assert read(source, 1) == ["more"]
        send(servers, f"{unique}_3", ["night 3"])
        assert read(source, 1) == ["night 3"]
    assert logs == []


def test_a_service_follows_the_nights_and_says_nothing_of_those_that_expire(
    real_kafka, unique, tmp_path
):
    nights = [f"ztf_{unique}_{night}" for night in (1, 2)]
    topics = {"BROKER_SURVEYS__ZTF__TOPICS": json.dumps([f"^ztf_{unique}_.*"])}
    real_kafka.create_topic(nights[0])
    with service(real_kafka.bootstrap_servers, unique, tmp_path, **topics) as running:
        send(real_kafka.bootstrap_servers, nights[0], NIGHT[:3])
        running.wait_for(received=3)
        delete(real_kafka, nights[0])
        send(real_kafka.bootstrap_servers, nights[1], NIGHT[3:])
        accounting = running.wait_for(received=6)
        assert (accounting["classified"], accounting["dead_lettered"]) == (6, 0)
        levels = [json.loads(line)["level"] for line in running.log().splitlines()]
        assert set(levels) == {"info"}
