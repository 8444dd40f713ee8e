"""A whole street in memory: lists for topics, so that a test sees everything that went where."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import orjson

from broker_classifier.config.lasair import LasairSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.model.bundle import load_bundle
from broker_classifier.service.loop import run
from broker_classifier.service.metrics import Metrics
from broker_classifier.service.served_bundles import ServedBundle
from broker_classifier.service.street import Service
from broker_classifier.store import MemoryStore
from broker_classifier.streams.message import Message, Outgoing
from broker_classifier.surveys.decoders import open_decoders

DECODERS = open_decoders({}, LasairSettings())
BUNDLE = load_bundle(Path(__file__).parent.parent / "models" / "ztf-transients")


class Crash(BaseException):
    """The process dies here."""


class CrashingStreet:
    """A street whose nth call of `step` kills the process, before or after the work is done."""

    def __init__(self, step, when, calls=1):
        self.step, self.when, self.left = step, when, calls

    def wrap(self, owner, name):
        real = getattr(owner, name)

        def call(*args, **kwargs):
            if name != self.step:
                return real(*args, **kwargs)
            self.left -= 1
            if self.left == 0 and self.when == "before":
                raise Crash
            result = real(*args, **kwargs)
            if self.left == 0:
                raise Crash
            return result

        setattr(owner, name, call)


class ListSource:
    """A topic of one partition: what is not committed is read again by the next `ListSource`."""

    is_connected = True
    connections: ClassVar[dict[str, bool]] = {}
    lags: ClassVar[dict[str, int]] = {}
    address = "a list"

    def __init__(
        self, topic: "Topic", batch_size: int = 500, timestamp_ms: int | None = 1_700_000_000_000
    ) -> None:
        self._timestamp_ms = timestamp_ms
        self._topic = topic
        self._batch_size = batch_size
        self._position = topic.committed

    @property
    def is_exhausted(self) -> bool:
        return self._position >= len(self._topic.values)

    def poll(self, *, wait: bool = True) -> list[Message]:
        first = self._position
        values = self._topic.values[first : first + self._batch_size]
        self._position += len(values)
        return [
            Message(value, self._topic.name, 0, first + i, self._timestamp_ms, "ztf")
            for i, value in enumerate(values)
        ]

    def rewind(self) -> None:
        self._position = self._topic.committed

    def commit(self, messages: Sequence[Message]) -> None:
        self._topic.committed = max(message.offset for message in messages) + 1

    def close(self) -> None:
        pass


class Topic:
    """An input topic with its committed offset."""

    def __init__(self, values: Iterable[bytes], name: str = "ztf_test") -> None:
        self.values = list(values)
        self.name = name
        self.committed = 0


class ListSink:
    """Everything that was delivered; while `is_down`, nothing is."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.is_down = False
        self._under_way: list[Outgoing] = []

    def send(self, messages: Iterable[Outgoing], consumed: Sequence[Message]) -> None:
        assert not self._under_way, "what was sent before is not confirmed"
        self._under_way = list(messages)

    def confirm(self) -> None:
        if self.is_down:
            msg = "down"
            raise OutputUnavailableError(msg)
        self.sent.extend(self._under_way)
        self._under_way = []

    def abandon(self) -> None:
        self._under_way = []

    def restart(self) -> "ListSink":
        """What was under way is lost with the process that sent it."""
        self._under_way = []
        return self

    def to(self, topic: str) -> list[Outgoing]:
        return [message for message in self.sent if message.topic == topic]

    def close(self) -> None:
        pass


class DiskStore(MemoryStore):
    """A store of which a crash leaves what was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self._on_disk: dict[str, Any] = {}

    def flush(self) -> None:
        self._on_disk = dict(self._records)

    def restart(self) -> "DiskStore":
        """What was not flushed is lost with the process."""
        self._records = dict(self._on_disk)
        return self


def street(source, sink=None, store=None, **options) -> Service:
    return Service(
        source,
        sink or ListSink(),
        MemoryStore() if store is None else store,
        options.pop("decoders", DECODERS),
        options.pop("bundles", {"ztf": [ServedBundle(BUNDLE, "classifications")]}),
        Metrics(),
        "dead-letters",
        **{"retry_delay_s": 0.01} | options,
    )


def contents(messages: Iterable[Outgoing]) -> list[dict[str, Any]]:
    return [orjson.loads(message.value) for message in messages]


def standing(messages: Iterable[Outgoing]) -> dict[int, dict[str, Any]]:
    """The answers that stand: of every alert that of the highest version; without what varies."""
    varying = ("times", "revised", "curve_version")
    in_order = sorted(contents(messages), key=lambda content: content["curve_version"])
    return {
        content["alert_id"]: {name: content[name] for name in content.keys() - set(varying)}
        for content in in_order
    }


def walk(packets, batch_size=500, store=None, sink=None, topic="ztf_test"):
    sink = sink or ListSink()
    opened = street(ListSource(Topic(packets, topic), batch_size), sink, store)
    run(opened, threading.Event())
    return opened, sink


def totals(received, **outcomes):
    names = ("classified", "declined", "duplicate", "withdrawn", "dead_lettered")
    return {"received": received} | dict.fromkeys(names, 0) | outcomes
