"""Schemas by their ids: from a folder of any layout, and from a Schema Registry."""

import json

import orjson
import pytest

from broker_classifier.errors import (
    ConfigError,
    MessageError,
    SchemaError,
    SchemasUnavailableError,
)
from broker_classifier.surveys import lsst
from broker_classifier.surveys.avro.schema_registry import RegistrySchemas, registry_schemas
from broker_classifier.surveys.avro.schema_sources import folder_schemas, schemas_in_folder
from tests.http_server import Response, http_server
from tests.surveys.lsst_packets import (
    ALERT,
    PARTS,
    SCHEMA_ID,
    framed,
    packet,
    source,
    write_schemas,
)


def test_a_folders_schemas_are_whole_whatever_its_layout(tmp_path):
    by_files = folder_schemas(write_schemas(tmp_path / "files"))
    whole = tmp_path / "one" / "whole.avsc"
    whole.parent.mkdir()
    whole.write_bytes(by_files.schema(SCHEMA_ID))
    assert folder_schemas(whole.parent).by_id.keys() == by_files.by_id.keys() == {SCHEMA_ID}
    message = framed(packet(source(61001.0), [source(61000.0)]))
    decoded = [
        lsst.decoder(schemas)([message]) for schemas in (by_files, folder_schemas(whole.parent))
    ]
    assert decoded[0] == decoded[1]


def test_a_type_is_written_out_once(tmp_path):
    [schema] = schemas_in_folder(write_schemas(tmp_path)).values()
    assert schema.count(b'"diaForcedSourceId"') == schema.count(b'"centroid_flag"') == 1
    assert orjson.loads(schema)["name"] == "lsst.v12_3.alert"


def test_an_empty_folder_says_what_is_missing(tmp_path):
    with pytest.raises(ConfigError, match=r"lsst\.v10_0\.alert"):
        folder_schemas(tmp_path)


def test_a_type_without_a_definition_is_named(tmp_path):
    (tmp_path / "alert.avsc").write_text(json.dumps(ALERT))
    with pytest.raises(ConfigError, match=r"lsst\.v12_3\.diaSource"):
        folder_schemas(tmp_path)


def test_two_definitions_of_a_type_are_refused(tmp_path):
    write_schemas(tmp_path)
    (tmp_path / "other.avsc").write_text(json.dumps(PARTS[2] | {"fields": []}))
    with pytest.raises(ConfigError, match="diaObject otherwise"):
        folder_schemas(tmp_path)


def test_a_file_that_is_no_json_is_named(tmp_path):
    (tmp_path / "broken.avsc").write_text("{")
    with pytest.raises(ConfigError, match=r"broken\.avsc"):
        folder_schemas(tmp_path)


@pytest.mark.parametrize("text", ['{"type": "record"}', '{"fields": 1}', '[{"type": "enum"}]'])
def test_a_file_that_is_no_schema_is_named(tmp_path, text):
    write_schemas(tmp_path)
    (tmp_path / "other.avsc").write_text(text)
    with pytest.raises(ConfigError, match=r"other\.avsc is no Avro schema"):
        folder_schemas(tmp_path)


def test_a_registry_is_asked_once_for_a_schema():
    asked = []
    schemas = RegistrySchemas(lambda schema_id: asked.append(schema_id) or b"{}")
    assert schemas.schema(7) is schemas.schema(7)
    assert asked == [7]


def test_an_unknown_id_is_asked_for_again_after_a_minute():
    asked, now = [], [1000.0]
    schemas = RegistrySchemas(asked.append, clock=lambda: now[0])
    for now[0] in (1000.0, 1059.0, 1061.0):
        with pytest.raises(SchemaError, match="id 7"):
            schemas.schema(7)
    assert asked == [7, 7]


USELESS = {
    "1301": 'syntax = "proto3";',
    "1302": '{"type": "object", "properties": {}}',
    "1303": json.dumps(ALERT),  # without its references
}
CLOSE = {"Connection": "close"}  # confluent-kafka never closes one that is kept alive


def registry_answer(request):
    """Know schema 1203, which refers to its parts, and others that are no use; break for 500."""
    names = [schema["name"] for schema in PARTS]
    schema_id = request.path.partition("?")[0].removeprefix("/schemas/ids/")
    if schema_id == "1203":
        references = [{"name": name, "subject": name, "version": 1} for name in names]
        content = {"schema": json.dumps(ALERT), "references": references}
    elif schema_id in USELESS:
        content = {"schema": USELESS[schema_id]}
    elif request.path.startswith("/subjects/"):
        name = request.path.split("/")[2]
        text = json.dumps(PARTS[names.index(name)])
        content = {"schema": text, "subject": name, "version": 1, "id": 1}
    else:
        is_broken = request.path.startswith("/schemas/ids/500")
        refusal = {"error_code": 40403, "message": "no"}
        return Response(500 if is_broken else 404, json.dumps(refusal), CLOSE)
    return Response(200, json.dumps(content), CLOSE)


@pytest.fixture
def registry():
    settings = {"max.retries": 1, "retries.wait.ms": 1, "retries.max.wait.ms": 2}
    with http_server(registry_answer) as address:
        yield registry_schemas(address, **settings)


def test_a_registrys_schema_decodes_with_the_types_it_refers_to(registry):
    [alert] = lsst.decoder(registry)([framed(packet(source(61001.0)))])
    assert alert.mjd == 61001.0


def test_what_a_registry_does_not_know_is_a_bad_message(registry):
    [error] = lsst.decoder(registry)([framed(packet(source(61001.0)), 1204)])
    assert isinstance(error, SchemaError)


@pytest.mark.parametrize("schema_id", [1301, 1302, 1303])
def test_a_message_of_a_schema_that_is_no_use_is_a_bad_message(registry, schema_id):
    [error] = lsst.decoder(registry)([framed(packet(source(61001.0)), schema_id)])
    assert isinstance(error, MessageError)


def test_a_registry_that_fails_stops_the_stream(registry):
    with pytest.raises(SchemasUnavailableError, match="500"):
        registry.schema(500)


def test_a_registry_that_is_not_there_stops_the_stream():
    schemas = registry_schemas("http://127.0.0.1:9", **{"max.retries": 0})
    with pytest.raises(SchemasUnavailableError, match="does not answer"):
        schemas.schema(1)


def test_a_registrys_address_is_checked():
    with pytest.raises(ConfigError, match="nonsense"):
        registry_schemas("nonsense")
