"""Where schemas come from that messages only name by a number: .avsc files in a folder.

The Schema Registry is in `schema_registry.py`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from broker_classifier.errors import ConfigError, SchemaError
from broker_classifier.surveys.avro.schema_types import NAMED, PRIMITIVE

_VERSION = re.compile(r"v(\d+)_(\d+)\.alert$")
_NO_SCHEMA = (AttributeError, KeyError, RecursionError, TypeError)  # what other JSON leads to


class SchemaSource(Protocol):
    """Knows the writers' schemas by their ids."""

    def schema(self, schema_id: int) -> bytes:
        """Return a self-contained schema, JSON; the same object for the same id.

        Raises
        ------
        SchemaError
            If the source has no such schema.
        SchemasUnavailableError
            If it does not answer now.
        """


@dataclass(frozen=True)
class FolderSchemas:
    """Schemas of .avsc files, by major * 100 + minor of the alert's version."""

    folder: Path
    by_id: Mapping[int, bytes]

    def schema(self, schema_id: int) -> bytes:
        """Return a schema of the folder."""
        try:
            return self.by_id[schema_id]
        except KeyError:
            ids = ", ".join(map(str, sorted(self.by_id)))
            msg = (
                f"no schema has the id {schema_id}: {self.folder} has those of {ids}; "
                f"add the .avsc files of version {schema_id // 100}.{schema_id % 100}"
            )
            raise SchemaError(msg) from None


def folder_schemas(folder: Path) -> FolderSchemas:
    """Read every alert schema below a folder, however its files are laid out.

    Raises
    ------
    ConfigError
        If there is none, a file is no Avro schema, or a type is missing or defined twice.
    """
    by_id = {}
    for name, schema in schemas_in_folder(folder).items():
        if version := _VERSION.search(name):
            by_id[int(version[1]) * 100 + int(version[2])] = schema
    if not by_id:
        msg = f"{folder} has no .avsc file of an alert such as lsst.v10_0.alert; give their folder"
        raise ConfigError(msg)
    return FolderSchemas(folder, by_id)


def schemas_in_folder(folder: Path) -> dict[str, bytes]:
    """Read every record called `alert` below a folder, with the types that it names put in.

    Returns
    -------
    dict of str to bytes
        Self-contained schemas, JSON, by full name.

    Raises
    ------
    ConfigError
        As `folder_schemas`.
    """
    definitions: dict[str, Any] = {}
    for file in sorted(Path(folder).rglob("*.avsc")):
        for name, definition in _definitions(file):
            if definitions.setdefault(name, definition) != definition:
                msg = f"{file} defines {name} otherwise than another file below {folder}"
                raise ConfigError(msg)
    return {
        name: orjson.dumps(_inlined(definition, "", definitions, set()))
        for name, definition in definitions.items()
        if name.rpartition(".")[2] == "alert"
    }


def self_contained(schema: str | bytes, others: Iterable[str | bytes]) -> bytes:
    """Put the types that others define into a schema.

    Raises
    ------
    SchemaError
        If one is no Avro schema, or a type is nowhere defined.
    """
    try:
        read = [orjson.loads(text) for text in (schema, *others)]
        definitions = dict(named for other in read[1:] for named in _named(other, ""))
        return orjson.dumps(_inlined(read[0], "", definitions, set()))
    except (ConfigError, orjson.JSONDecodeError, *_NO_SCHEMA) as error:
        msg = f"it is no Avro schema, or lacks a type that it names: {error!r}"
        raise SchemaError(msg) from error


def _definitions(file: Path) -> list[tuple[str, dict[str, Any]]]:
    try:
        return list(_named(orjson.loads(file.read_bytes()), ""))
    except (OSError, orjson.JSONDecodeError) as error:
        msg = f"{file} is no readable JSON: {error}; restore it"
        raise ConfigError(msg) from error
    except _NO_SCHEMA as error:
        msg = f"{file} is no Avro schema ({error!r}); restore it, or take it out of the folder"
        raise ConfigError(msg) from error


def _named(schema: Any, namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every named type in a schema by its full name; the namespace is written into it."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named(branch, namespace)
    elif isinstance(schema, dict):
        namespace = _namespace(schema, namespace)
        if schema.get("type") in NAMED:
            yield _full_name(schema["name"], namespace), {**schema, "namespace": namespace}
        for part in (schema.get("type"), schema.get("items"), schema.get("values")):
            yield from _named(part, namespace)
        for field in schema.get("fields", ()):
            yield from _named(field["type"], namespace)


def _namespace(schema: Mapping[str, Any], enclosing: str) -> str:
    if schema.get("type") not in NAMED:
        return enclosing
    prefix, _, _ = str(schema["name"]).rpartition(".")
    return prefix or str(schema.get("namespace") or enclosing)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _inlined(schema: Any, namespace: str, definitions: Mapping[str, Any], seen: set[str]) -> Any:
    """Replace the first mention of every type that another file defines by its definition."""
    if isinstance(schema, list):
        return [_inlined(branch, namespace, definitions, seen) for branch in schema]
    if isinstance(schema, str):
        return _mentioned(schema, namespace, definitions, seen)
    whole, namespace = dict(schema), _namespace(schema, namespace)
    if whole["type"] in NAMED:
        whole["name"] = _full_name(whole["name"], namespace)
        whole.pop("namespace", None)
        seen.add(whole["name"])
    else:
        whole["type"] = _inlined_type(whole["type"], namespace, definitions, seen)
    for part in {"items", "values"} & set(whole):
        whole[part] = _inlined(whole[part], namespace, definitions, seen)
    if "fields" in whole:
        whole["fields"] = [
            {**field, "type": _inlined(field["type"], namespace, definitions, seen)}
            for field in whole["fields"]
        ]
    return whole


def _inlined_type(kind: Any, namespace: str, definitions: Mapping[str, Any], seen: set[str]) -> Any:
    is_word = isinstance(kind, str) and kind in ("array", "map")
    return kind if is_word else _inlined(kind, namespace, definitions, seen)


def _mentioned(name: str, namespace: str, definitions: Mapping[str, Any], seen: set[str]) -> Any:
    full = _full_name(name, namespace)
    if name in PRIMITIVE or full in seen:
        return name if name in PRIMITIVE else full
    if full not in definitions:
        msg = f"the type {full} is defined in no .avsc file; add the file that defines it"
        raise ConfigError(msg)
    return _inlined(definitions[full], namespace, definitions, seen)
