"""Transactions on a real Kafka: what other clients see of a batch, and when."""

import random

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import ConfigError, OutputUnavailableError, StartOverError
from broker_classifier.streams.dead_letters import read_dead_letters
from broker_classifier.streams.kafka_clients import MAX_MESSAGE_BYTES
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Outgoing
from broker_classifier.streams.newest_messages import PER_PARTITION, newest_messages
from broker_classifier.streams.transactional_sink import TransactionalSink
from tests.kafka_streets import read_topic, wait_until


@pytest.fixture
def output(real_kafka, unique):
    topic = f"out-{unique}"
    real_kafka.create_topic(topic)
    return topic


@pytest.fixture
def sink(real_kafka, unique, output):
    real_kafka.create_topic(unique)
    settings = KafkaSettings(bootstrap_servers=real_kafka.bootstrap_servers, group_id=unique)
    source = KafkaSource(settings, {"ztf": [unique]}, worker=unique, commits=False)
    sink = TransactionalSink(settings, source, unique, [output])
    yield sink
    sink.close()
    source.close()


def published(sink, messages):
    """Publish as the loop does: what is unavailable is waited for, what is void begun anew."""
    is_sent = False

    def is_confirmed():
        nonlocal is_sent
        try:
            if not is_sent:
                sink.send(messages, [])
                is_sent = True
            sink.confirm()
        except OutputUnavailableError:
            return False
        except StartOverError:
            sink.abandon()
            is_sent = False
            return False
        return True

    wait_until(is_confirmed, "the transaction")


def committed(kafka, topic, values):
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": f"test-{topic}"}
    )
    producer.init_transactions()
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, headers={"reason": "DecodeError"})
    producer.commit_transaction()


@pytest.mark.parametrize("n_bytes", [MAX_MESSAGE_BYTES, 2_000_000], ids=["client", "topic"])
def test_a_message_that_is_too_large_takes_no_other_with_it(sink, output, real_kafka, n_bytes):
    published(sink, [Outgoing(output, b"key", b"first")])
    large = random.Random(1).randbytes(n_bytes)  # does not compress
    published(sink, [Outgoing(output, b"key", value) for value in (b"1", large, b"3")])
    messages = read_topic(real_kafka.bootstrap_servers, output, 4)
    assert [message.value for message in messages] == [b"first", b"1", b"", b"3"]
    assert str(n_bytes) in dict(messages[2].headers)["omitted"].decode()


def test_a_kafka_that_forbids_transactions_is_told_of_with_what_to_do(sink, real_kafka, unique):
    name, everybody = f"{unique}-{unique}", "User:ANONYMOUS"
    rule = AclBinding(
        ResourceType.TRANSACTIONAL_ID,
        name,
        ResourcePatternType.LITERAL,
        everybody,
        "*",
        AclOperation.ALL,
        AclPermissionType.DENY,
    )
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    [created] = admin.create_acls([rule]).values()
    created.result(timeout=10)
    with pytest.raises(ConfigError, match=f"transactions as {name}; let it, or set"):
        published(sink, [])


def test_a_batch_that_is_abandoned_is_never_seen(sink, output, real_kafka):
    published(sink, [Outgoing(output, b"key", b"first")])
    sink.send([Outgoing(output, b"key", b"void")], [])
    sink.abandon()
    published(sink, [Outgoing(output, b"key", b"second")])
    settings = {"bootstrap.servers": real_kafka.bootstrap_servers}
    assert newest_messages(settings, output) == [b"first", b"second"]


def test_dead_letters_written_in_a_transaction_are_listed(real_kafka, unique):
    real_kafka.create_topic(unique)
    committed(real_kafka, unique, [b"a", b"b"])
    settings = KafkaSettings(
        bootstrap_servers=real_kafka.bootstrap_servers, dead_letter_topic=unique, group_id=unique
    )
    assert [letter.value for letter in read_dead_letters(settings)] == [b"a", b"b"]


def test_the_newest_messages_are_read_to_the_end_of_every_partition(real_kafka, unique):
    settings = {"bootstrap.servers": real_kafka.bootstrap_servers}
    assert newest_messages(settings, unique) is None
    real_kafka.create_topic(unique, partitions=2)
    assert newest_messages(settings, unique) == []
    committed(real_kafka, unique, [b"%d" % n for n in range(4 * PER_PARTITION)])
    newest = newest_messages(settings, unique)
    assert b"%d" % (4 * PER_PARTITION - 1) in newest
    assert len(newest) <= 2 * PER_PARTITION
