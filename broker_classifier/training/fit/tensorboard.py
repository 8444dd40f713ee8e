"""Figures over the epochs of a training, in the file format that TensorBoard reads.

A file is a row of records: the length of an event (8 bytes, little-endian), a checksum of it, the
event, its checksum. The first event tells the version, each later one a step and its figures, in
Protocol Buffers (tensorboard/compat/proto/event.proto): only the few fields needed are written
here, which saves a package that nothing else needs.
"""

import struct
import time
from collections.abc import Mapping
from pathlib import Path

FILE_PREFIX = "events.out.tfevents"  # TensorBoard goes by it
_VERSION = b"brain.Event:2"
_WALL_TIME, _STEP, _FILE_VERSION, _SUMMARY = 1, 2, 3, 5  # fields of Event
_VALUE = 1  # of Summary
_TAG, _SIMPLE_VALUE = 1, 2  # of Summary.Value
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # wire types

CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, bits reversed


class EventFile:
    """A new event file in a folder, which is made if absent; one file a run, none is continued."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{FILE_PREFIX}.{time.time_ns()}"
        self._file = self.path.open("xb")
        self._write(_event(_field(_FILE_VERSION, _BYTES, _VERSION)))

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add the figures of a step by their tags; they are in the file on return."""
        values = [
            _field(_TAG, _BYTES, tag.encode())
            + _field(_SIMPLE_VALUE, _FLOAT, struct.pack("<f", value))
            for tag, value in figures.items()
        ]
        summary = b"".join(_field(_VALUE, _BYTES, value) for value in values)
        self._write(
            _event(_field(_STEP, _VARINT, varint(step)) + _field(_SUMMARY, _BYTES, summary))
        )

    def close(self) -> None:
        """Close the file; it may be called twice."""
        self._file.close()

    def _write(self, event: bytes) -> None:
        self._file.write(record(event))
        self._file.flush()


def record(event: bytes) -> bytes:
    """Frame an event by its length and checksums."""
    length = struct.pack("<Q", len(event))
    return length + _checksum(length) + event + _checksum(event)


def varint(number: int) -> bytes:
    """Write a number >= 0 in groups of seven bits, the lowest first.

    >>> varint(300).hex()
    'ac02'
    """
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def crc32c(content: bytes) -> int:
    """Compute CRC-32C (RFC 3720, B.4).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (CASTAGNOLI if byte & 1 else 0)
    return byte


_TABLE = [_table_entry(byte) for byte in range(256)]


def _checksum(content: bytes) -> bytes:
    """Mask a checksum as these files do, so that a checksum of checksums still tells something."""
    crc = crc32c(content)
    masked = (crc >> 15 | crc << 17) + 0xA282EAD8
    return struct.pack("<I", masked & 0xFFFFFFFF)


def _event(fields: bytes) -> bytes:
    return _field(_WALL_TIME, _DOUBLE, struct.pack("<d", time.time())) + fields


def _field(number: int, wire_type: int, content: bytes) -> bytes:
    length = varint(len(content)) if wire_type == _BYTES else b""
    return varint(number << 3 | wire_type) + length + content
