"""The last messages that stand in a topic, read once before a subscription begins."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, TopicPartition

from broker_classifier.errors import OutputUnavailableError
from broker_classifier.streams.kafka_clients import opened

ANSWER_S = 5.0
READ_S = 2.0
PER_PARTITION = 20  # more than one: a transaction ends with a record that nobody can read


def newest_messages(settings: Mapping[str, Any], topic: str) -> list[bytes] | None:
    """Read the last few messages of every partition of a topic; None where there is no such topic.

    Parameters
    ----------
    settings : mapping
        Of a Kafka client, as `kafka_source.client_settings` gives them.
    topic : str

    Raises
    ------
    OutputUnavailableError
        Kafka does not answer.
    """
    own = {"group.id": f"broker-classifier-peek-{uuid4()}", "enable.auto.commit": False}
    consumer = opened(Consumer, own | dict(settings))
    try:
        listed = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
        if listed.error is not None:
            return None
        places = [_last_of(consumer, topic, partition) for partition in listed.partitions]
        consumer.assign([place for place in places if place is not None])
        most = PER_PARTITION * len(places)
        messages = consumer.consume(most, timeout=READ_S) if any(places) else []
        return [message.value() or b"" for message in messages if message.error() is None]
    except KafkaException as error:
        reason = (
            f"no Kafka answers at {settings['bootstrap.servers']} ({error.args[0].str()}); "
            "name it with --bootstrap-servers or kafka.bootstrap_servers"
        )
        raise OutputUnavailableError(reason) from error
    finally:
        consumer.close()


def _last_of(consumer: Consumer, topic: str, partition: int) -> TopicPartition | None:
    place = TopicPartition(topic, partition)
    first, end = consumer.get_watermark_offsets(place, timeout=ANSWER_S)
    if end <= first:
        return None
    return TopicPartition(topic, partition, max(first, end - PER_PARTITION))
