"""Avro object containers: framing, codecs, and records decoded by the schema that wrote them.

ZTF wraps every alert in a container of its own, a third of which is the schema. Its packets of one
`schemavsn` carry different schemas, so a parsed schema is cached by its bytes.
"""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cramjam
import fastavro
import orjson
from fastavro.schema import SchemaParseException

from broker_classifier.errors import DecodeError
from broker_classifier.surveys.avro.codecs import codec as codec_of

MAGIC = b"Obj\x01"
SYNC_SIZE = 16
MOST_BLOCK_BYTES = 64 << 20
MOST_SCHEMA_BYTES = 256 << 10  # the surveys' largest has 41 KB
_MOST_ENTRIES = 100
_MALFORMED = (
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    RecursionError,
)

Record = dict[str, Any]


@dataclass(frozen=True)
class Container:
    """An opened container: its header, and its records still encoded and compressed.

    Attributes
    ----------
    header : bytes
        Everything before the first sync marker.
    schema : bytes
        The writer's schema, JSON, as it stands in the header.
    codec : str
    packed : tuple of (int, bytes)
        Number of records and their bytes as they stand there, a block each.
    """

    header: bytes
    schema: bytes
    codec: str
    packed: tuple[tuple[int, bytes], ...]

    @property
    def n_records(self) -> int:
        """Number of records that the blocks announce."""
        return sum(count for count, _ in self.packed)

    def blocks(self, most_bytes: int = MOST_BLOCK_BYTES) -> Iterator[tuple[int, bytes]]:
        """Yield the number of records and their decompressed bytes, one block after the other.

        Parameters
        ----------
        most_bytes : int
            How large a block may be.

        Raises
        ------
        DecodeError
            If a block is damaged, larger, or cannot hold so many records.
        """
        decompress = codec_of(self.codec)
        for count, body in self.packed:
            try:
                records = decompress(body, most_bytes)
            except (*_MALFORMED, zlib.error, cramjam.DecompressionError) as error:
                msg = f"a block cannot be decompressed: {error!r}"
                raise DecodeError(msg) from error
            if count > len(records):
                msg = f"a block of {len(records)} bytes announces {count} records"
                raise DecodeError(msg)
            yield count, records


def lone_container(schema: bytes, record: bytes) -> bytes:
    """Wrap an encoded record in an uncompressed container of its own."""
    return _header(schema) + _long(1) + _long(len(record)) + record + bytes(SYNC_SIZE)


def open_container(message: bytes) -> Container:
    """Check the framing of an object container.

    Raises
    ------
    DecodeError
        If the bytes are no container, or are truncated or corrupted outside the blocks.
    """
    if not message:
        msg = "the message is empty; an Avro object container was expected"
        raise DecodeError(msg)
    if not message.startswith(MAGIC):
        msg = (
            f"the message begins with {message[:4]!r}, not with {MAGIC!r}; "
            "it is no Avro object container"
        )
        raise DecodeError(msg)
    stream = io.BytesIO(message)
    stream.seek(len(MAGIC))
    try:
        metadata = _read_metadata(stream)
        header = message[: stream.tell()]
        sync = _exactly(stream, SYNC_SIZE)
        codec = metadata.get("avro.codec", b"null").decode()
        codec_of(codec)
        return Container(header, metadata["avro.schema"], codec, tuple(_read_blocks(stream, sync)))
    except DecodeError:
        raise
    except _MALFORMED as error:
        msg = f"the container's framing is broken: {error!r}"
        raise DecodeError(msg) from error


def read_record(stream: io.BytesIO, schema: Any) -> Record:
    """Decode one record with fastavro.

    Raises
    ------
    DecodeError
        If the bytes do not fit the schema, or are no record.
    """
    try:
        record = fastavro.schemaless_reader(stream, schema, None)
    except _MALFORMED as error:
        msg = f"a record does not fit its writer's schema: {error!r}"
        raise DecodeError(msg) from error
    if not isinstance(record, dict):
        msg = f"the container holds a {type(record).__name__}, not an alert record"
        raise DecodeError(msg)
    return record


@lru_cache(maxsize=16)
def parsed_schema(schema: bytes) -> Any:
    """Parse a writer's schema; the same bytes are parsed once.

    Raises
    ------
    DecodeError
        If the bytes are no valid Avro schema, or more than any alert's.
    """
    if len(schema) > MOST_SCHEMA_BYTES:
        msg = f"the schema has {len(schema)} bytes; no alert's has more than {MOST_SCHEMA_BYTES}"
        raise DecodeError(msg)
    try:
        return fastavro.parse_schema(orjson.loads(schema))
    except (SchemaParseException, *_MALFORMED) as error:
        msg = f"the container's schema cannot be parsed: {error!r}"
        raise DecodeError(msg) from error


def _read_metadata(stream: io.BytesIO) -> dict[str, bytes]:
    metadata: dict[str, bytes] = {}
    while count := _read_long(stream):
        if count < 0:
            _read_long(stream)
        if abs(count) + len(metadata) > _MOST_ENTRIES:
            msg = f"the container's header announces more than {_MOST_ENTRIES} entries"
            raise DecodeError(msg)
        for _ in range(abs(count)):
            key = _exactly(stream, _read_long(stream)).decode()
            metadata[key] = _exactly(stream, _read_long(stream))
    return metadata


def _read_blocks(stream: io.BytesIO, sync: bytes) -> Iterator[tuple[int, bytes]]:
    n_bytes = stream.getbuffer().nbytes
    while stream.tell() < n_bytes:
        count = _read_long(stream)
        body = _exactly(stream, _read_long(stream))
        if _exactly(stream, SYNC_SIZE) != sync:
            msg = f"the sync marker before byte {stream.tell()} is wrong"
            raise DecodeError(msg)
        if count < 1:
            msg = f"a block announces {count} records"
            raise DecodeError(msg)
        yield count, body


def _read_long(stream: io.BytesIO) -> int:
    value = shift = 0
    while True:
        byte = _exactly(stream, 1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1)
        if shift > 63:
            msg = "an integer of the container's framing is longer than 64 bits"
            raise DecodeError(msg)


def _exactly(stream: io.BytesIO, size: int) -> bytes:
    chunk = stream.read(size) if size >= 0 else b""
    if len(chunk) != size:
        msg = f"the container is truncated: {size} bytes wanted at its end, {len(chunk)} there"
        raise DecodeError(msg)
    return chunk


def _header(schema: bytes) -> bytes:
    key = b"avro.schema"
    entry = _long(len(key)) + key + _long(len(schema)) + schema
    return MAGIC + _long(1) + entry + _long(0) + bytes(SYNC_SIZE)


def _long(value: int) -> bytes:
    zigzag, encoded = value << 1, bytearray()
    while zigzag > 0x7F:
        encoded.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)
