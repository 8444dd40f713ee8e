"""Messages as they come and go, and the ports of their sources and destinations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from zlib import crc32

from broker_classifier.errors import MessageError

REPLAYED_FROM = "replayed_from"
"""Kafka header of a dead letter that was sent back: its place in the dead-letter topic."""


@dataclass(frozen=True)
class Message:
    """One message as it was received.

    Attributes
    ----------
    value : bytes
    topic : str
        The Kafka topic, or the file (and, in an archive, its member).
    partition, offset : int
        Its place in the topic; for files, 0 and the number of the record in the file.
    timestamp_ms : int or None
        Kafka's timestamp, or when the file was read; Unix ms. None where there is no credible one.
    survey : str
        The survey whose alerts come this way.
    error : MessageError or None
        Why nothing of it can be read, or is.
    replayed_from : str
        The place of the dead letter that came again in this message; empty for all others.
    """

    value: bytes
    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    survey: str
    error: MessageError | None = None
    replayed_from: str = ""

    @property
    def origin(self) -> str:
        """Name the message as logs do.

        >>> Message(b"", "ztf_20210701", 3, 17, 0, "ztf").origin
        'ztf_20210701[3]@17'
        """
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @cached_property
    def origin_digest(self) -> int:
        """Sum up the origin in 32 bits, never 0; the same message has the same when it comes again.

        >>> Message(b"", "ztf_20210701", 3, 17, 0, "ztf").origin_digest
        1494480211
        """
        return crc32(self.origin.encode()) or 1


@dataclass(frozen=True)
class Outgoing:
    """One message to publish."""

    topic: str
    key: bytes | None
    value: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Where messages come from."""

    def poll(self, *, wait: bool = True) -> list[Message]:
        """Return the next batch; empty when none came within the source's timeout, or is there.

        Raises
        ------
        StartOverError
            If messages read before now belong to another worker.
        InputLostError
            If the source will never again be read by this process.
        """

    def rewind(self) -> None:
        """Go back to the first messages that are not committed."""

    def commit(self, messages: Sequence[Message]) -> None:
        """Note that these messages need never be read again."""

    @property
    def is_exhausted(self) -> bool:
        """Whether no message will ever come again (a topic never is)."""

    @property
    def address(self) -> str:
        """Where the source is, for people to read."""

    @property
    def is_connected(self) -> bool:
        """Whether the source answers, or a part of it."""

    @property
    def connections(self) -> Mapping[str, bool]:
        """By stream, whether it answers; nothing where that is no question."""

    @property
    def lags(self) -> Mapping[str, int]:
        """By stream, how many messages wait to be read; nothing where that is no question."""

    def close(self) -> None:
        """Leave the source."""


class Sink(Protocol):
    """Where messages go to."""

    def send(self, messages: Iterable[Outgoing], consumed: Sequence[Message]) -> None:
        """Begin to deliver messages, in place of those sent before.

        Parameters
        ----------
        messages : iterable of Outgoing
        consumed : sequence of Message
            What they follow from. A transactional destination commits it with them.
        """

    def confirm(self) -> None:
        """Return when all messages are delivered that were sent last.

        Raises
        ------
        OutputUnavailableError
            If any of them was not confirmed; none, some or all may have been delivered. The next
            call sends all of them again.
        StartOverError
            If none of them was delivered, and none will be.
        """

    def abandon(self) -> None:
        """Give up what is not confirmed, also of a former self; some of it may have been delivered.

        Raises
        ------
        OutputUnavailableError
            If that has to wait for the destination; call it again.
        """

    def close(self) -> None:
        """Release the destination."""
