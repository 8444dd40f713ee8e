"""Several Kafkas as one source: a stream whose Kafka is away does not stop the others."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Message

TURN_S = 0.01  # how long one Kafka is waited for before the next

OpenSource = Callable[[KafkaSettings, Mapping[str, Sequence[str]]], KafkaSource]


class KafkaSources:
    """A `Source` that reads one `KafkaSource` after another.

    Parameters
    ----------
    inputs : sequence of (KafkaSettings, mapping of str to sequence of str)
        Each Kafka, and the topics of its streams.
    open_source : callable
        Opens one.
    """

    def __init__(
        self,
        inputs: Sequence[tuple[KafkaSettings, Mapping[str, Sequence[str]]]],
        open_source: OpenSource = KafkaSource,
    ) -> None:
        self._wait_s = max(kafka.poll_timeout_s for kafka, _ in inputs)
        self._next = 0
        with ExitStack() as opened:
            self._sources = []
            for kafka, topics in inputs:
                source = open_source(kafka.model_copy(update={"poll_timeout_s": TURN_S}), topics)
                opened.callback(source.close)
                self._sources.append(source)
            self._of_stream = {
                stream: source
                for source, (_, topics) in zip(self._sources, inputs, strict=True)
                for stream in topics
            }
            self._opened = opened.pop_all()

    is_exhausted = False

    @property
    def address(self) -> str:
        """The brokers of all of them."""
        return ", ".join(source.address for source in self._sources)

    @property
    def is_connected(self) -> bool:
        """Whether any of the Kafkas answers."""
        return any(source.is_connected for source in self._sources)

    @property
    def connections(self) -> dict[str, bool]:
        """By stream, whether its Kafka answers."""
        return {name: up for kafka in self._sources for name, up in kafka.connections.items()}

    @property
    def lags(self) -> dict[str, int]:
        """By stream, how many alerts of the partitions read here are not read yet."""
        return {name: lag for kafka in self._sources for name, lag in kafka.lags.items()}

    def poll(self, *, wait: bool = True) -> list[Message]:
        """Return the next batch of the first Kafka that has one, each in its turn."""
        deadline = time.monotonic() + self._wait_s
        while True:
            for _ in self._sources:
                source = self._sources[self._next]
                self._next = (self._next + 1) % len(self._sources)
                if messages := source.poll(wait=wait):
                    return messages
            if not wait or time.monotonic() >= deadline:
                return []

    def rewind(self) -> None:
        """Go back in all of them to what was not committed."""
        for source in self._sources:
            source.rewind()

    def commit(self, messages: Sequence[Message]) -> None:
        """Commit every message where it came from."""
        for source in self._sources:
            own = [message for message in messages if self._of_stream[message.survey] is source]
            if own:
                source.commit(own)

    def close(self) -> None:
        """Leave all groups."""
        self._opened.close()
