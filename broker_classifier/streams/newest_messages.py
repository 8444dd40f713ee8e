"""The last messages that stand in a topic, read once before a subscription begins."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, TopicPartition

from broker_classifier.errors import OutputUnavailableError
from broker_classifier.streams.kafka_clients import opened
from broker_classifier.streams.stored_messages import READS_TO_END, stored_messages

ANSWER_S = 5.0
PER_PARTITION = 20  # more than one: a transaction ends with a mark that nobody can read


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
    own = READS_TO_END | {"group.id": f"broker-classifier-peek-{uuid4()}"}
    consumer = opened(Consumer, own | dict(settings))
    try:
        if consumer.list_topics(topic, timeout=ANSWER_S).topics[topic].error is not None:
            return None
        return [message.value() or b"" for message in stored_messages(consumer, topic, _last_few)]
    except KafkaException as error:
        reason = (
            f"no Kafka answers at {settings['bootstrap.servers']} ({error.args[0].str()}); "
            "name it with --bootstrap-servers or kafka.bootstrap_servers"
        )
        raise OutputUnavailableError(reason) from error
    finally:
        consumer.close()


def _last_few(
    consumer: Consumer, partitions: list[TopicPartition], *, timeout: float
) -> list[TopicPartition]:
    for place in partitions:
        _, end = consumer.get_watermark_offsets(place, timeout=timeout)
        place.offset = end - PER_PARTITION
    return partitions
