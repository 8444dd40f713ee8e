"""Finding the one record of each message, object containers in particular.

A third of a ZTF message is its schema. A header seen before is recognised by its bytes; what
follows is checked for a whole batch at once. Any other container is opened the thorough way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import cached_with, compiled
from broker_classifier.errors import DecodeError, MessageError, without_locals
from broker_classifier.surveys.avro import kernel
from broker_classifier.surveys.avro.container import (
    MAGIC,
    MOST_SCHEMA_BYTES,
    SYNC_SIZE,
    open_container,
)
from broker_classifier.surveys.avro.kernel import long_at, varint
from broker_classifier.surveys.avro.projection import Encoded, addresses

_PREFIX = 64  # bytes of a header by which it is looked up
_MAX_HEADERS = 256
_MOST_BYTES_OF_HEADERS = 16 << 20
MOST_RECORD_BYTES = 16 << 20


@dataclass
class Containers:
    """Headers seen, each with its schema, in lists by their first bytes."""

    headers: dict[bytes, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    n_headers: int = 0
    n_bytes: int = 0

    def records(self, messages: Sequence[bytes]) -> Iterator[Encoded | MessageError]:
        """Yield the record of every message, or why there is none.

        A message must be a container of exactly one record, of at most MOST_RECORD_BYTES. What is
        compressed is decompressed when its turn comes.
        """
        headers = [self._header(message) for message in messages]
        header_ends = np.array([len(header) for header, _ in headers], dtype=np.int64)
        sizes = np.array([len(message) for message in messages], dtype=np.int64)
        begins = record_begins(addresses(messages), sizes, header_ends).tolist()
        return (
            Encoded(message, begin, len(message) - SYNC_SIZE, schema)
            if begin
            else self._opened(message)
            for message, begin, (_, schema) in zip(messages, begins, headers, strict=True)
        )

    def records_or(
        self, messages: Sequence[bytes], bare: Callable[[bytes], Encoded | MessageError]
    ) -> Iterator[Encoded | MessageError]:
        """Yield the record of messages that need not be containers; `bare` finds the others'."""
        is_container = [message.startswith(MAGIC) for message in messages]
        opened = self.records(list(compress(messages, is_container)))
        return (
            next(opened) if contained else bare(message)
            for message, contained in zip(messages, is_container, strict=True)
        )

    def _header(self, message: bytes) -> tuple[bytes, bytes]:
        for header, schema in self.headers.get(message[:_PREFIX], ()):
            if message.startswith(header):
                return header, schema
        return b"", b""

    def _opened(self, message: bytes) -> Encoded | MessageError:
        try:
            container = open_container(message)
            if container.n_records != 1:
                msg = f"the message holds {container.n_records} records; one alert is expected"
                return DecodeError(msg)
            [(_, body)] = container.blocks(MOST_RECORD_BYTES)
        except DecodeError as error:
            return without_locals(error)
        if container.codec == "null":
            self._remember(container.header, container.schema)
        return Encoded(body, 0, len(body), container.schema)

    def _remember(self, header: bytes, schema: bytes) -> None:
        if len(header) > 2 * MOST_SCHEMA_BYTES:
            return
        is_full = self.n_headers == _MAX_HEADERS or self.n_bytes > _MOST_BYTES_OF_HEADERS
        if is_full:
            self.headers, self.n_headers, self.n_bytes = {}, 0, 0
        alike = self.headers.setdefault(header[:_PREFIX], [])
        if (header, schema) not in alike:
            alike.append((header, schema))
            self.n_headers += 1
            self.n_bytes += len(header)


@compiled
def _record_begins(
    at: NDArray[np.int64], sizes: NDArray[np.int64], header_ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    begins = np.zeros(len(at), dtype=np.int64)
    for m in range(len(at)):
        base, end, sync = at[m], sizes[m], header_ends[m]
        if sync == 0:
            continue
        count, p = varint(base, sync + SYNC_SIZE, end)
        if p < 0 or count != 1:
            continue
        size, p = varint(base, p, end)
        if p < 0 or size < 0 or size != end - SYNC_SIZE - p:
            continue
        first = long_at(base + sync) == long_at(base + p + size)
        if first and long_at(base + sync + 8) == long_at(base + p + size + 8):
            begins[m] = p
    return begins


@cached_with(__file__, kernel.__file__)
def record_begins(sources: str) -> Callable[..., NDArray[np.int64]]:
    """Make the function that finds where records begin."""

    def record_begins(
        at: NDArray[np.int64], sizes: NDArray[np.int64], header_ends: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Find where the record of each container begins, if it has one block of one record.

        Returns
        -------
        int64, shape (n,)
            0 where the header is unknown (`header_ends` 0), or the rest of the bytes anything else.
        """
        _ = sources
        return _record_begins(at, sizes, header_ends)

    return record_begins
