"""Sources of alerts and sinks of results: Kafka topics, files, lists."""

from broker_classifier.streams.files import FileSource, JsonLinesSink
from broker_classifier.streams.kafka import KafkaSource
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.message import Message, Outgoing, Sink, Source

__all__ = [
    "FileSource",
    "JsonLinesSink",
    "KafkaSink",
    "KafkaSource",
    "Message",
    "Outgoing",
    "Sink",
    "Source",
]
