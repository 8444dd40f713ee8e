"""Surveys told by bytes: framing, the schema's own fields, and enriched packets like plain ones."""

import copy
from typing import Any

import pytest

from broker_classifier.surveys.recognise import schema_of, survey_of, survey_of_schema
from tests.surveys.lasair_rows import LSST_ID, row
from tests.ztf_packets import SCHEMA, alert, container, decode, measurement, record

RECORD = alert("ZTF21abiuvdk", [measurement(60000.0), measurement(60003.0, fid=1)])
SCORES: dict[str, Any] = {
    "name": "scores",
    "type": record(
        "scores", [{"name": "rb", "type": "double"}, {"name": "note", "type": "string"}]
    ),
}
MATCHES: dict[str, Any] = {
    "name": "matches",
    "type": [{"type": "map", "values": {"type": "array", "items": "string"}}, "null"],
}
ADDED = {"scores": {"rb": 0.5, "note": "objectId"}, "matches": {"simbad": ["Star", "QSO"]}}


def lsst_schema(time: str) -> dict[str, Any]:
    source = record("diaSource", [{"name": time, "type": "double"}])
    return record("alert", [MATCHES, {"name": "diaSource", "type": source}])


def enriched_schema() -> dict[str, Any]:
    """ZTF's, with a broker's records before, after and inside of the survey's own."""
    schema = copy.deepcopy(SCHEMA)
    schema["fields"] = [SCORES, *schema["fields"], MATCHES]
    candidate = next(f["type"] for f in schema["fields"] if f["name"] == "candidate")
    candidate["fields"] = [MATCHES, *candidate["fields"], {"name": "scores", "type": "scores"}]
    return schema


def test_a_container_is_its_schemas_surveys():
    assert survey_of(container(RECORD)) == "ztf"
    for time, survey in {"midpointMjdTai": "lsst", "midPointTai": "elasticc"}.items():
        packet = {"matches": None, "diaSource": {time: 60000.0}}
        assert survey_of(container(packet, schema=lsst_schema(time))) == survey


def test_a_container_of_no_survey_is_of_none():
    schema = record("note", [{"name": "objectId", "type": "string"}])
    assert survey_of(container({"objectId": "ZTF21abiuvdk"}, schema=schema)) is None


def test_an_enriched_packet_is_recognised_and_read_like_the_surveys_own():
    enriched = RECORD | ADDED | {"candidate": RECORD["candidate"] | ADDED}
    packet = container(enriched, schema=enriched_schema(), codec="deflate")
    assert survey_of(packet) == "ztf"
    assert decode(packet) == decode(container(RECORD))


@pytest.mark.parametrize("size", [0, 1, 4, 20, 40, 500])
def test_a_packet_broken_anywhere_is_recognised_as_far_as_its_header_goes(size):
    whole = container(RECORD)
    assert survey_of(whole[:-30]) == "ztf"
    assert survey_of(whole[:size]) is None


@pytest.mark.parametrize("schema", [b"", b"[]", b"7", b'{"fields": 7}', b'{"fields": [7]}', b"{"])
def test_a_schema_that_is_none_is_of_no_survey(schema):
    assert survey_of_schema(schema) is None


def test_a_schema_is_cut_out_whatever_stands_before_it():
    header = b"Obj\x01\x04\x14avro.codec\x08null\x16avro.schema\x04[]\x00"
    assert schema_of(header) == b"[]"
    assert schema_of(b"Obj\x01\x16avro.schema\xff\xff") == b""


@pytest.mark.parametrize(
    ("message", "survey"),
    [
        (b"\x00\x00\x00\x02\xc0body", "lsst"),
        (b"\x00\x00\x00\x04\x4dbody", "lsst"),
        (b"\x00\x00\x00\x01Bud1 of macOS", None),
        (b"\x00\x01\x00\x00\x00a font", None),
        (b"\x00\x00\x00\x04\x4d", None),
        (b"\xbe\x8e\xbe\x02bare body", None),
        (row(objectId=LSST_ID), "lasair"),
        (b"\n  " + row(objectId="ZTF21abiuvdk"), "lasair"),
        (b"", None),
    ],
)
def test_framed_messages_and_rows_are_told_from_other_bytes(message, survey):
    assert survey_of(message) == survey
