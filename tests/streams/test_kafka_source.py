"""How a source commits, with a Kafka that answers when the test says so."""

import json
import threading
from contextlib import suppress

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions
from structlog.testing import capture_logs

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import StartOverError
from broker_classifier.streams import kafka_clients
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Message
from tests.kafka_streets import send, wait_until


class SlowKafka:
    """A consumer whose commits are answered one by one, during a poll, as Kafka's client does."""

    def __init__(self, answer):
        self.commits, self._answer = [], answer
        self.n_answers = 0

    def poll(self, _):
        if self.n_answers:
            self.n_answers -= 1
            self._answer(None, [])

    def commit(self, offsets, asynchronous):
        assert asynchronous
        self.commits.append({(place.topic, place.partition): place.offset for place in offsets})

    def close(self):
        pass


@pytest.fixture
def source():
    opened = KafkaSource(KafkaSettings(bootstrap_servers="127.0.0.1:1"), {"ztf": ["ztf_a"]})
    opened._consumer.close()
    opened._consumer = SlowKafka(opened._note_commit)
    return opened


def message(offset, partition=0):
    return Message(b"", "ztf_a", partition, offset, None, "ztf")


def test_one_commit_is_under_way_and_the_next_has_all_that_was_done_meanwhile(source):
    kafka = source._consumer
    for offset in range(500):
        source.commit([message(offset), message(offset + 7, partition=1)])
        source.poll()
    assert kafka.commits == [{("ztf_a", 0): 1, ("ztf_a", 1): 8}]
    kafka.n_answers = 1
    source.poll()
    source.poll()
    assert kafka.commits[1:] == [{("ztf_a", 0): 500, ("ztf_a", 1): 507}]
    kafka.n_answers = 1
    source.poll()
    assert len(kafka.commits) == 2


def test_what_waits_for_its_commit_is_committed_at_the_end(source):
    kafka = source._consumer
    source.commit([message(3)])
    source.commit([message(4)])
    source.close()
    assert kafka.commits == [{("ztf_a", 0): 4}, {("ztf_a", 0): 5}]


def test_a_topic_that_does_not_exist_yet_is_read_once_it_does(session_embedded_kafka, unique):
    settings = KafkaSettings(
        bootstrap_servers=session_embedded_kafka.bootstrap_servers, group_id=unique
    )
    waiting = KafkaSource(settings, {"lasair": [f"lasair_2{unique}"]})
    assert waiting.poll(wait=False) == []
    send(settings.bootstrap_servers, f"lasair_2{unique}", [b"{}"])
    [row] = wait_until(waiting.poll, "the first row")
    waiting.close()
    assert (row.value, row.survey) == (b"{}", "lasair")


def test_the_lag_is_what_is_in_the_topic_and_not_read_yet(kafka, unique):
    topic, sent = f"ztf_{unique}", 300
    kafka.create_topic(topic)
    send(kafka.bootstrap_servers, topic, [b"alert"] * sent)
    settings = KafkaSettings(
        bootstrap_servers=kafka.bootstrap_servers, group_id=unique, batch_size=1
    )
    source = KafkaSource(settings, {"ztf": [topic], "lsst": ["other"]})
    n_read = [0]

    def has_lag():
        n_read.append(n_read[-1] + len(source.poll()))
        return source.lags["ztf"]

    lag = wait_until(has_lag, "the statistics")
    source.close()
    assert lag in {sent - n for n in n_read}
    assert source.lags["lsst"] == 0


def statistics(**states):
    partitions = {
        number: {
            "desired": True,
            "fetch_state": state,
            "ls_offset": 9,
            "next_offset": 4,
            "fetchq_cnt": 2,
        }
        for number, state in states.items()
    }
    return json.dumps(
        {"brokers": {"b": {"state": "UP"}}, "topics": {"ztf_a": {"partitions": partitions}}}
    )


def test_a_partition_that_stands_still_for_long_is_taken_up_again(source, monkeypatch):
    connection = source._connection
    connection._note_statistics(statistics(p0="active", p1="offset-query"))
    assert connection.unread == {"ztf_a": 7}
    assert not connection.is_stuck()
    monkeypatch.setattr(kafka_clients, "STUCK_S", 0.0)
    stuck = source._consumer
    with pytest.raises(StartOverError, match="partitions stand still"):
        source.poll()
    assert source._consumer is not stuck
    assert not connection.is_stuck()
    connection._note_statistics(statistics(p0="active", p1="active"))
    assert not connection.is_stuck()
    source.close()


def test_partitions_that_came_while_a_named_worker_was_away_are_read(real_kafka, unique):
    topic = f"ztf_{unique}"
    real_kafka.create_topic(topic)
    settings = KafkaSettings(bootstrap_servers=real_kafka.bootstrap_servers, group_id=unique)
    away = KafkaSource(settings, {"ztf": [topic]}, worker="w")
    wait_until(lambda: away.poll() or away._consumer.assignment(), "the first partition")
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    [added] = admin.create_partitions([NewPartitions(topic, 3)]).values()
    added.result(timeout=10)
    back = KafkaSource(settings, {"ztf": [topic]}, worker="w")  # as after a kill

    def has_all():
        with suppress(StartOverError):
            back.poll()
        return len(back._consumer.assignment()) == 3

    wait_until(has_all, "the partitions that were added")
    back.close()
    away.close()


def test_a_consumer_that_cannot_be_closed_holds_nobody_up(source, monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(kafka_clients, "CLOSE_TIMEOUT_S", 0.01)
    monkeypatch.setattr(source._consumer, "close", forever.wait)
    with capture_logs() as logs:
        source.close()
    forever.set()
    assert [entry["event"] for entry in logs] == [
        "a consumer is left unclosed: its Kafka does not answer"
    ]
