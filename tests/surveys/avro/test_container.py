"""Containers against fastavro; broken ones end in a DecodeError and nothing else."""

import io

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.errors import DecodeError, MessageError
from broker_classifier.surveys.alert import Alert
from broker_classifier.surveys.avro.container import open_container, parsed_schema
from broker_classifier.surveys.avro.split_container import split_container
from broker_classifier.training.fit.tensorboard import varint
from tests.ztf_packets import SCHEMA, alert, container, decode_batch, measurement

RECORDS = [
    alert(f"ZTF{i}", [measurement(60000.0 + i, mag=None), measurement(60001.0 + i)])
    for i in range(3)
]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_a_split_container_holds_the_same_records_one_each(codec):
    packets = list(split_container(container(*RECORDS, codec=codec)))
    assert [list(fastavro.reader(io.BytesIO(packet))) for packet in packets] == [
        [record] for record in fastavro.reader(io.BytesIO(container(*RECORDS)))
    ]


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(), st.binary()), max_size=6))
def test_records_of_any_size_are_split_where_fastavro_ends_them(values):
    names = [("x", "long"), ("y", ["null", "string"]), ("z", {"type": "array", "items": "bytes"})]
    fields = [{"name": name, "type": kind} for name, kind in names]
    schema = {"type": "record", "name": "alert", "fields": fields}
    records = [{"x": x, "y": y or None, "z": [z] * (x % 3)} for x, y, z in values]
    if records:
        packets = list(split_container(container(*records, schema=schema)))
        assert [list(fastavro.reader(io.BytesIO(packet))) for packet in packets] == [
            [record] for record in records
        ]


def test_what_is_no_record_of_the_schema_ends_the_split_with_an_error():
    schema = {"type": "record", "name": "alert", "fields": [{"name": "x", "type": "string"}]}
    packet = container({"x": "one"}, {"x": "two"}, schema=schema).replace(b"\x06two", b"\x7ftwo")
    packets = split_container(packet)
    assert list(fastavro.reader(io.BytesIO(next(packets)))) == [{"x": "one"}]
    with pytest.raises(DecodeError, match="does not fit its writer's schema"):
        next(packets)


def test_a_container_of_one_record_is_passed_on_as_it_is():
    packet = container(RECORDS[0], codec="deflate")
    assert list(split_container(packet)) == [packet]


def test_the_same_schema_bytes_are_parsed_once():
    schema = b'{"type": "record", "name": "once", "fields": []}'
    assert parsed_schema(schema) is parsed_schema(bytes(bytearray(schema)))


@given(st.integers(0, len(container(RECORDS[0])) - 1))
def test_every_truncation_is_refused(length):
    [result] = decode_batch([container(RECORDS[0])[:length]])
    assert isinstance(result, MessageError)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
@given(st.integers(0, 4000), st.integers(0, 255))
def test_a_changed_byte_gives_an_alert_or_an_error(codec, position, byte):
    packet = bytearray(container(RECORDS[0], codec=codec))
    packet[position % len(packet)] = byte
    [result] = decode_batch([bytes(packet)])
    assert isinstance(result, Alert | MessageError)


@pytest.mark.parametrize("message", [b"", b"{}", b"Obj", b"Obj\x01", b"Obj\x02" + bytes(100)])
def test_what_is_no_container_is_refused(message):
    with pytest.raises(DecodeError):
        open_container(message)


def test_an_unknown_codec_is_named():
    packet = container(RECORDS[0]).replace(b"null", b"lzma", 1)
    packet = container(RECORDS[0], codec="deflate").replace(b"deflate", b"unknown", 1)
    with pytest.raises(DecodeError, match="unknown"):
        open_container(packet)


def test_bytes_after_the_last_record_of_a_block_are_refused():
    packet = io.BytesIO()
    fastavro.writer(packet, fastavro.parse_schema(SCHEMA), RECORDS[:1])
    whole = packet.getvalue()
    sync = whole[-16:]
    header, body = whole[: whole.index(sync) + 16], whole[whole.index(sync) + 16 : -16]
    record = body[body.index(b"4.02") - 1 :]
    alone, two = (
        header + bytes([n << 1]) + varint(2 * (n * len(record) + 1)) + n * record + b"\x00" + sync
        for n in (1, 2)
    )
    [error] = decode_batch([alone])
    assert "1 bytes are left" in str(error)
    with pytest.raises(DecodeError, match="1 bytes are left"):
        list(split_container(two))


@pytest.mark.parametrize("codec", ["deflate", "snappy", "zstandard"])
def test_a_block_that_would_fill_the_memory_is_refused(codec):
    schema = {"type": "record", "name": "alert", "fields": [{"name": "x", "type": "bytes"}]}
    bomb = container({"x": bytes(65 << 20)}, schema=schema, codec=codec)
    assert len(bomb) < 5 << 20
    with pytest.raises(DecodeError, match="more than 64 MiB"):
        list(open_container(bomb).blocks())


def test_a_block_of_endless_empty_records_is_refused():
    schema = b'{"type": "record", "name": "alert", "fields": []}'
    header = (
        b"Obj\x01\x02\x16avro.schema" + bytes([len(schema) << 1]) + schema + b"\x00" + bytes(16)
    )
    endless = header + b"\x80\x80\x80\x80\x80\x80\x01" + b"\x00" + bytes(16)
    with pytest.raises(DecodeError, match="a block of 0 bytes announces"):
        list(split_container(endless))


def test_a_schema_nested_without_end_is_refused():
    schema = b'{"type":"array","items":' * 900 + b'"int"' + b"}" * 900
    whole = b'{"type":"record","name":"alert","fields":[{"name":"x","type":' + schema + b"}]}"
    size = len(whole) << 1
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
    packet = b"Obj\x01\x02\x16avro.schema" + length + whole + b"\x00" + bytes(16)
    [error] = decode_batch([packet + b"\x02\x02\x00" + bytes(16)])
    assert isinstance(error, DecodeError)
