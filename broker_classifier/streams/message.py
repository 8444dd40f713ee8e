"""Messages as they come and go, and the ports of their sources and destinations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker_classifier.errors import MessageError


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
        Why nothing of it can be read; the value is then empty.
    """

    value: bytes
    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    survey: str
    error: MessageError | None = None

    @property
    def origin(self) -> str:
        """Name the message as logs do.

        >>> Message(b"", "ztf_20210701", 3, 17, 0, "ztf").origin
        'ztf_20210701[3]@17'
        """
        return f"{self.topic}[{self.partition}]@{self.offset}"


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
        """Return the next batch; empty when none came within the source's timeout, or is there."""

    def commit(self, messages: Sequence[Message]) -> None:
        """Note that these messages need never be read again."""

    @property
    def is_exhausted(self) -> bool:
        """Whether no message will ever come again (a topic never is)."""

    @property
    def is_connected(self) -> bool:
        """Whether the source answers."""

    def close(self) -> None:
        """Leave the source."""


class Sink(Protocol):
    """Where messages go to."""

    def send(self, messages: Iterable[Outgoing]) -> None:
        """Begin to deliver messages, in place of those sent before."""

    def confirm(self) -> None:
        """Return when all messages are delivered that were sent last.

        Raises
        ------
        OutputUnavailableError
            If any of them was not confirmed; none, some or all may have been delivered. The next
            call sends all of them again.
        """

    def close(self) -> None:
        """Release the destination."""
