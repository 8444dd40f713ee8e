import struct

import pytest
from kafka.record._crc32c import crc as kafka_crc32c

from broker_classifier.training.fit.tensorboard import EventFile, crc32c, record


def records(content):
    """Read records the slow, obvious way; checksums are masked CRC-32C."""
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        event = content[12 : 12 + length]
        for part, at in ((content[:8], 8), (event, 12 + length)):
            crc = kafka_crc32c(part)
            rotated = (crc >> 15) + (crc % 2**15) * 2**17
            assert struct.unpack("<I", content[at : at + 4]) == ((rotated + 0xA282EAD8) % 2**32,)
        yield event
        content = content[16 + length :]


def fields(message):
    """Read a message in Protocol Buffers: numbers of fields and their bytes."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key % 8 == 0:
            value, at = varint(message, at)
            yield key // 8, value
            continue
        length, at = {1: (8, at), 5: (4, at)}.get(key % 8) or varint(message, at)
        yield key // 8, message[at : at + length]
        at += length


def varint(message, at):
    number, shift = 0, 0
    while True:
        number += (message[at] % 128) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 128:
            return number, at


@pytest.mark.parametrize("content", [b"", b"\0" * 32, b"123456789", bytes(range(256))])
def test_checksums_agree_with_another_implementation(content):
    assert crc32c(content) == kafka_crc32c(content)


def test_a_record_begins_as_in_files_that_tensorflow_writes():
    assert record(b"\0" * 24).startswith(b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22")


def test_a_file_tells_its_version_and_every_figure_of_every_step(tmp_path):
    events = EventFile(tmp_path / "run")
    events.write(1, {"loss": 0.5, "balanced accuracy": 0.25})
    events.write(300, {"loss": -2.0})
    version, *steps = [dict(fields(event)) for event in records(events.path.read_bytes())]
    events.close()
    assert version[3] == b"brain.Event:2"
    assert [step[2] for step in steps] == [1, 300]
    values = [[dict(fields(value)) for _, value in fields(step[5])] for step in steps]
    assert [[value[1].decode() for value in step] for step in values] == [
        ["loss", "balanced accuracy"],
        ["loss"],
    ]
    assert [struct.unpack("<f", v[2])[0] for step in values for v in step] == [0.5, 0.25, -2.0]


def test_the_name_is_one_that_tensorboard_looks_for(tmp_path):
    events = EventFile(tmp_path)
    events.close()
    assert "tfevents" in events.path.name
