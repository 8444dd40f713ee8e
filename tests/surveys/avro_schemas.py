"""Random Avro schemas with records that fit them, and what is wanted of both, for Hypothesis."""

import io
import itertools
from typing import Any

import fastavro
from hypothesis import strategies as st

from broker_classifier.surveys.avro.layout import Cell, Column, Layout, Table

NUMERIC = ("boolean", "int", "long", "float", "double")
PRIMITIVE = ("null", *NUMERIC, "bytes", "string")
VALUES = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "bytes": st.binary(max_size=20),
    "string": st.text(max_size=20),
}


def primitives() -> st.SearchStrategy[Any]:
    plain = st.sampled_from(PRIMITIVE)
    return plain | plain.map(lambda name: {"type": name})


@st.composite
def named(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    """A record, enum or fixed type; names are made unique afterwards."""
    kind = draw(st.sampled_from(["record", "enum", "fixed"]))
    if kind == "enum":
        return {"type": "enum", "name": "?", "symbols": ["A", "BB", "a_long_symbol"]}
    if kind == "fixed":
        return {"type": "fixed", "name": "?", "size": draw(st.integers(0, 9))}
    types = draw(st.lists(inner, max_size=4))
    fields = [{"name": f"f{i}", "type": schema} for i, schema in enumerate(types)]
    return {"type": "record", "name": "?", "fields": fields}


def unions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Unions of different primitive types, and at most one other, in any order."""
    plain = st.lists(st.sampled_from(PRIMITIVE), min_size=1, max_size=4, unique=True)
    other = (
        st.none()
        | named(inner)
        | st.builds(lambda schema: {"type": "array", "items": schema}, inner)
    )
    return st.builds(
        lambda names, schema: [*names, schema] if schema else names, plain, other
    ).flatmap(st.permutations)


def types() -> st.SearchStrategy[Any]:
    return st.recursive(
        primitives(),
        lambda inner: (
            named(inner)
            | unions(inner.filter(lambda schema: not isinstance(schema, list)))
            | st.builds(lambda schema: {"type": "array", "items": schema}, inner)
            | st.builds(lambda schema: {"type": "map", "values": schema}, inner)
        ),
        max_leaves=8,
    )


def renamed(schema: Any, numbers: Any = None) -> Any:
    """Give every named type a name of its own."""
    numbers = numbers or itertools.count()
    if isinstance(schema, list):
        return [renamed(branch, numbers) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {key: value for key, value in schema.items() if key != "fields"}
    if "name" in whole:
        whole["name"] = f"T{next(numbers)}"
    for part in {"items", "values"} & set(whole):
        whole[part] = renamed(whole[part], numbers)
    if "fields" in schema:
        whole["fields"] = [{**f, "type": renamed(f["type"], numbers)} for f in schema["fields"]]
    return whole


def values(schema: Any) -> st.SearchStrategy[Any]:
    """What fits a schema; a union's value is written as (type's name, value) where it must."""
    if isinstance(schema, list):
        return st.one_of([values(branch) for branch in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in VALUES:
        return VALUES[kind]
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    if kind == "array":
        return st.lists(values(schema["items"]), max_size=3)
    if kind == "map":
        return st.dictionaries(st.text(max_size=3), values(schema["values"]), max_size=3)
    return st.fixed_dictionaries(
        {field["name"]: values(field["type"]) for field in schema["fields"]}
    )


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A record with a record `new` and a list `old` of them among fields that nobody wants."""
    nullable = st.sampled_from(
        [lambda schema: schema, lambda schema: ["null", schema], lambda schema: [schema, "null"]]
    )
    numeric = st.sampled_from(NUMERIC) | unions(primitives())
    number = draw(numeric)
    item = {
        "type": "record",
        "name": "?",
        "fields": [
            {"name": "a", "type": draw(types())},
            {"name": "x", "type": number},
            {"name": "band", "type": draw(nullable)(draw(st.sampled_from(["string", ENUM])))},
            {"name": "b", "type": draw(types())},
            {"name": "inner", "type": draw(nullable)(record(y=draw(numeric)))},
        ],
    }
    fields = {
        "before": draw(types()),
        "name": draw(nullable)("string"),
        "id": draw(nullable)(draw(st.sampled_from(["long", "int"]))),
        "new": draw(nullable)(item),
        "between": draw(types()),
        "old": draw(nullable)({"type": "array", "items": draw(nullable)(item)}),
        "after": draw(types()),
    }
    order = draw(st.permutations(sorted(fields)))
    whole: dict[str, Any] = renamed(record(**{name: fields[name] for name in order}))
    return whole


ENUM = {"type": "enum", "name": "?", "symbols": ["u", "g", "a_long_symbol"]}


def record(**fields: Any) -> dict[str, Any]:
    named_fields = [{"name": name, "type": kind} for name, kind in fields.items()]
    return {"type": "record", "name": "?", "fields": named_fields}


ITEM = (Column("x"), Column("band", Cell.SHORT), Column("inner.y"), Column("absent"))
LAYOUT = Layout(
    "test",
    (Column("name", Cell.TEXT), Column("id", Cell.INTEGER), Column("new.a"), Column("before")),
    (Table("new", ITEM, is_list=False), Table("old", ITEM)),
)


def written(schema: Any, value: Any) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), value)
    return body.getvalue()
