"""What a parsed Avro schema defines by name, and how few bytes its values can take."""

from typing import Any

Schema = Any  # a parsed schema: a name, a list (union) or a dict, as JSON has it
Definitions = dict[str, dict[str, Any]]

_MIN_SIZES = {"null": 0, "float": 4, "double": 8}
NAMED = ("record", "error", "enum", "fixed")
PRIMITIVE = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


def definitions(schema: Schema) -> Definitions:
    """Collect every named type that a schema defines, wherever in it."""
    by_name: Definitions = {}
    waiting = [schema]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, list):
            waiting.extend(schema)
        elif isinstance(schema, dict):
            if schema["type"] in NAMED:
                by_name[schema["name"]] = schema
            waiting.extend(part["type"] for part in schema.get("fields", ()))
            waiting.extend(schema[key] for key in ("items", "values") if key in schema)
            if isinstance(schema["type"], dict | list):
                waiting.append(schema["type"])
    return by_name


def has_empty_types(schema: Schema) -> bool:
    """Tell whether a schema has values without bytes, other than the null of a union.

    >>> has_empty_types({"type": "array", "items": "null"}), has_empty_types(["null", "int"])
    (True, False)
    """
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if part == "null":
            return True
        if isinstance(part, list):
            waiting.extend(branch for branch in part if branch != "null")
        elif isinstance(part, dict):
            kind = part["type"]
            if kind == "fixed" and part["size"] == 0:
                return True
            if kind in ("record", "error") and not part["fields"]:
                return True
            waiting.extend(field["type"] for field in part.get("fields", ()))
            waiting.extend(part[key] for key in ("items", "values") if key in part)
            waiting.append(kind)
    return False


def min_size(schema: Schema, named: Definitions, seen: dict[str, int] | None = None) -> int:
    """Return the fewest bytes that a value can take; 0 means that it always takes none.

    >>> min_size(["null", "double"], {}), min_size({"type": "fixed", "size": 4}, {})
    (1, 4)
    """
    seen = {} if seen is None else seen
    if isinstance(schema, list):
        return 1 + min((min_size(part, named, seen) for part in schema), default=0)
    if isinstance(schema, str):
        if schema not in named:
            return _MIN_SIZES.get(schema, 1)
        if schema not in seen:
            seen[schema] = 1  # inside itself: a type without end, or one behind a union or array
            seen[schema] = min_size(named[schema], named, seen)
        return seen[schema]
    if schema["type"] in ("record", "error"):
        seen.setdefault(schema["name"], 1)
        return sum(min_size(part["type"], named, seen) for part in schema["fields"])
    if schema["type"] == "fixed":
        return int(schema["size"])
    return (
        1 if schema["type"] in ("array", "map", "enum") else min_size(schema["type"], named, seen)
    )
