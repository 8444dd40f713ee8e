"""Where in a topic a moment is."""

from datetime import datetime

from confluent_kafka import Consumer, TopicPartition


def offsets_at(
    consumer: Consumer, partitions: list[TopicPartition], moment: datetime, *, timeout: float
) -> list[TopicPartition]:
    """Find in every partition the first message that is not older than a moment, or the end.

    Parameters
    ----------
    consumer : Consumer
    partitions : list of TopicPartition
    moment : datetime
        With its time zone. Messages are as old as their Kafka timestamps say.
    timeout : float
        For each answer of Kafka's, seconds.

    Raises
    ------
    KafkaException
        If Kafka does not answer.
    """
    moment_ms = int(moment.timestamp() * 1000)
    # The ends come first: what arrives meanwhile is not passed over.
    ends = [consumer.get_watermark_offsets(place, timeout=timeout)[1] for place in partitions]
    asked = [TopicPartition(place.topic, place.partition, moment_ms) for place in partitions]
    places = consumer.offsets_for_times(asked, timeout=timeout) if asked else []
    for place, end in zip(places, ends, strict=True):
        place.offset = place.offset if 0 <= place.offset <= end else end
    return places
