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
            known = ", ".join(map(str, sorted(self.by_id)))
            msg = (
                f"no schema has the id {schema_id}: {self.folder} has those of {known}; "
                f"add the .avsc files of version {schema_id // 100}.{schema_id % 100}"
            )
            raise SchemaError(msg) from None


def folder_schemas(folder: Path) -> FolderSchemas:
    """Read every alert schema below a folder, however its files are laid out.

    Raises
    ------
    ConfigError
        If there is none, a file is no JSON, or a type is missing or defined twice.
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
    found: dict[str, Any] = {}
    for file in sorted(Path(folder).rglob("*.avsc")):
        for name, definition in _named(_read(file), ""):
            if found.setdefault(name, definition) != definition:
                msg = f"{file} defines {name} otherwise than another file below {folder}"
                raise ConfigError(msg)
    return {
        name: orjson.dumps(_inlined(definition, "", found, set()))
        for name, definition in found.items()
        if name.rpartition(".")[2] == "alert"
    }


def self_contained(schema: str | bytes, others: Iterable[str | bytes]) -> bytes:
    """Put the types that others define into a schema.

    Raises
    ------
    ConfigError
        If a type is nowhere defined.
    """
    found = {name: one for text in others for name, one in _named(orjson.loads(text), "")}
    return orjson.dumps(_inlined(orjson.loads(schema), "", found, set()))


def _read(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        msg = f"{file} is no readable JSON: {error}"
        raise ConfigError(msg) from error


def _named(schema: Any, namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every named type in a schema by its full name; the namespace is written into it."""
    if isinstance(schema, list):
        for one in schema:
            yield from _named(one, namespace)
    elif isinstance(schema, dict):
        namespace = _namespace(schema, namespace)
        if schema.get("type") in NAMED:
            yield _full_name(schema["name"], namespace), {**schema, "namespace": namespace}
        for part in (schema.get("type"), schema.get("items"), schema.get("values")):
            yield from _named(part, namespace)
        for one in schema.get("fields", ()):
            yield from _named(one["type"], namespace)


def _namespace(schema: Mapping[str, Any], enclosing: str) -> str:
    if schema.get("type") not in NAMED:
        return enclosing
    prefix, _, _ = str(schema["name"]).rpartition(".")
    return prefix or str(schema.get("namespace") or enclosing)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _inlined(schema: Any, namespace: str, found: Mapping[str, Any], seen: set[str]) -> Any:
    """Replace the first mention of every type that another file defines by its definition."""
    if isinstance(schema, list):
        return [_inlined(one, namespace, found, seen) for one in schema]
    if isinstance(schema, str):
        return _mentioned(schema, namespace, found, seen)
    whole, namespace = dict(schema), _namespace(schema, namespace)
    if whole["type"] in NAMED:
        whole["name"] = _full_name(whole["name"], namespace)
        whole.pop("namespace", None)
        seen.add(whole["name"])
    else:
        whole["type"] = _inlined_type(whole["type"], namespace, found, seen)
    for part in {"items", "values"} & set(whole):
        whole[part] = _inlined(whole[part], namespace, found, seen)
    if "fields" in whole:
        whole["fields"] = [
            {**one, "type": _inlined(one["type"], namespace, found, seen)}
            for one in whole["fields"]
        ]
    return whole


def _inlined_type(kind: Any, namespace: str, found: Mapping[str, Any], seen: set[str]) -> Any:
    is_word = isinstance(kind, str) and kind in ("array", "map")
    return kind if is_word else _inlined(kind, namespace, found, seen)


def _mentioned(name: str, namespace: str, found: Mapping[str, Any], seen: set[str]) -> Any:
    full = _full_name(name, namespace)
    if name in PRIMITIVE or full in seen:
        return name if name in PRIMITIVE else full
    if full not in found:
        msg = f"the type {full} is defined in no .avsc file; add the file that defines it"
        raise ConfigError(msg)
    return _inlined(found[full], namespace, found, seen)
