"""Projection against fastavro, value for value: random schemas and records, and odd encodings."""

import io
import math
from collections import Counter

import fastavro
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.errors import DecodeError
from broker_classifier.surveys.avro.layout import Cell, Column, Layout, Table, short_text
from broker_classifier.surveys.avro.projection import Encoded, Projector
from tests.surveys.avro_schemas import LAYOUT, record, renamed, schemas, values, written

NOTHING = {"type": "record", "name": "Nothing", "fields": []}
TREE = {
    "type": "record",
    "name": "Tree",
    "fields": [
        {"name": "leaf", "type": "int"},
        {"name": "branches", "type": {"type": "array", "items": "Tree"}},
        {"name": "next", "type": ["null", "Tree"]},
    ],
}
ONE_ROW = [("id", "long"), ("new", record(x="double"))]


def project(schema, *records, layout=LAYOUT, fallbacks=None):
    return projected([written(schema, item) for item in records], schema, layout, fallbacks)


def projected(bodies, schema, layout=LAYOUT, fallbacks=None):
    text, projector = orjson.dumps(schema), Projector(layout, fallbacks)
    return projector.project([Encoded(body, 0, len(body), text) for body in bodies])


def whole(*fields):
    return renamed(record(**dict(fields)))


def at(value, path):
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def expected_cell(value, cell):
    if cell is Cell.NUMBER:
        return float(value) if isinstance(value, int | float) else math.nan
    if cell is Cell.PRESENT:
        return int(np.float64(value is not None).view(np.int64))
    if cell is Cell.SHORT:
        return short_text(value or "")
    return value or (0 if cell is Cell.INTEGER else "")


def expected_rows(value, layout=LAYOUT):
    for number, table in enumerate(layout.tables):
        content = at(value, table.path)
        items = (
            content if isinstance(content, list) else [content] if isinstance(content, dict) else []
        )
        for item in items:
            yield number, [expected_cell(at(item, c.path), c.cell) for c in table.columns]


def rows_of(result, layout=LAYOUT):
    for i, table in enumerate(result.owner[1].tolist()):
        yield (
            table,
            [
                (result.numbers(c) if column.cell is Cell.NUMBER else result.columns[c])[i].item()
                for c, column in enumerate(layout.tables[table].columns)
            ],
        )


def head_of(result, m, layout=LAYOUT):
    return [
        result.texts[c][m]
        if column.cell is Cell.TEXT
        else (result.head_numbers(c) if column.cell is Cell.NUMBER else result.head[:, c])[m].item()
        for c, column in enumerate(layout.head)
    ]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_value_is_fastavros(data):
    schema = data.draw(schemas())
    body = written(schema, data.draw(values(schema)))
    read = fastavro.schemaless_reader(io.BytesIO(body), fastavro.parse_schema(schema), None)
    result = projected([body], schema)
    assert result.errors == {}
    np.testing.assert_equal(
        head_of(result, 0), [expected_cell(at(read, c.path), c.cell) for c in LAYOUT.head]
    )
    assert repr(sorted(rows_of(result), key=lambda r: r[0])) == repr(list(expected_rows(read)))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_truncation_of_a_record_is_an_error(data):
    schema = data.draw(schemas())
    body = written(schema, data.draw(values(schema)))
    shorter = [body[:n] for n in range(len(body))][-60:]
    assert len(projected(shorter, schema).errors) == len(shorter)


@pytest.mark.parametrize("identity", [2**53 + 1, 2**63 - 1, -(2**63)])
def test_ids_are_exact_to_64_bits(identity):
    result = project(whole(*ONE_ROW), {"id": identity, "new": {"x": 1.0}})
    assert result.head[0, 1] == identity


def test_blocks_with_a_size_and_several_blocks_are_read():
    schema = whole(("old", {"type": "array", "items": record(x="int")}))
    several = bytes([3, 4, 2, 4, 2, 6, 0])  # -2 items in 2 bytes: 1, 2; one item: 3; the end
    result = projected([several], schema)
    assert result.errors == {}
    assert result.numbers(0).tolist() == [1.0, 2.0, 3.0]


def test_an_index_of_more_bytes_than_it_needs_is_read():
    schema = whole(("before", ["null", "double"]))
    assert head_of(projected([b"\x82\x00" + bytes(8)], schema), 0)[3] == 0.0


def test_types_that_contain_themselves_are_passed_over():
    tree = {"leaf": 1, "branches": [{"leaf": 2, "branches": [], "next": None}], "next": None}
    tree["next"] = {"leaf": 3, "branches": [], "next": None}
    fields = [("t", TREE), ("id", "long"), ("u", ["null", "Tree"]), ("new", record(x="double"))]
    schema = record(**dict(fields)) | {"name": "Whole"}
    schema["fields"][3]["type"]["name"] = "New"
    fallbacks = Counter()
    whole_tree = {"t": tree, "id": 7, "u": tree, "new": {"x": 2.5}}
    result = project(schema, whole_tree, fallbacks=fallbacks)
    assert (result.head[0, 1], result.numbers(0).tolist()) == (7, [2.5])
    assert not fallbacks


def test_endless_nesting_ends_in_an_error():
    schema = {**record(t=TREE), "name": "Whole"}
    result = projected([b"\x00\x02" * 1000], schema)
    assert "nested more than" in str(result.errors[0])


@pytest.mark.parametrize("items", ["null", NOTHING, {"type": "fixed", "name": "F", "size": 0}])
@pytest.mark.parametrize("field", ["old", "other"])
def test_items_without_bytes_are_not_counted_to_the_end(items, field):
    schema = {**record(**{field: {"type": "array", "items": items}}), "name": "Whole"}
    million, huge = b"\x80\x89\x7a\x00", b"\xfe" + b"\xff" * 8 + b"\x01" + b"\x00"  # 2**63 - 1
    [(m, error)] = projected([million, huge], schema).errors.items()
    assert (m, "more items than any alert" in str(error)) == (1, True)


@pytest.mark.parametrize("count", [b"\xfe\xff\xff\xff\x0f", b"\xff" * 9 + b"\x01", b"\xff" * 12])
def test_an_array_of_more_items_than_bytes_is_refused(count):
    schema = whole(("old", {"type": "array", "items": record(x="double")}))
    assert isinstance(projected([count + bytes(100)], schema).errors[0], DecodeError)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bytes end"),
        (b"\x04", "no such branch"),
        (b"\x02" + bytes(7), "`before`: the bytes end"),
        (b"\x00\x00", "1 bytes are left"),
        (b"\x80" * 11, "longer than 64 bits"),
    ],
)
def test_an_error_says_where_and_what(body, reason):
    assert reason in str(projected([body], whole(("before", ["null", "double"]))).errors[0])


def test_an_enum_beyond_its_symbols_is_refused():
    enum = {"type": "enum", "name": "E", "symbols": ["g", "r"]}
    schema = {**record(new=record(band=enum)), "name": "Whole"}
    assert "no such symbol" in str(projected([b"\x04"], schema).errors[0])


def test_what_the_program_cannot_express_is_left_to_fastavro_and_counted():
    fallbacks = Counter()
    schema = whole(("id", "string"), ("name", "long"), ("new", record(x="float", band="int")))
    bodies = [
        written(schema, {"id": f"{i}", "name": 5, "new": {"x": i, "band": 1}}) for i in (1, 2)
    ]
    bodies += [bodies[0][:-3], written(schema, {"id": "no", "name": 5, "new": {"x": 1, "band": 1}})]
    result = projected(bodies, schema, fallbacks=fallbacks)
    assert fallbacks == {"test": 4}
    assert [head_of(result, m)[:2] for m in (0, 1)] == [["5", 1], ["5", 2]]
    assert result.numbers(0).tolist() == [1.0, 2.0]
    assert result.columns[1].tolist() == [short_text("1")] * 2
    assert set(result.errors) == {2, 3}
    assert "`id` is 'no'" in str(result.errors[3])


def test_rows_of_records_read_either_way_stay_in_order():
    fast, slow = whole(*ONE_ROW), whole(("id", "string"), ONE_ROW[1])
    encoded = []
    for i in range(6):
        schema = slow if i % 2 else fast
        body = written(schema, {"id": str(i) if i % 2 else i, "new": {"x": i}})
        encoded.append(Encoded(body, 0, len(body), orjson.dumps(schema)))
    result = Projector(LAYOUT).project(encoded)
    assert result.owner[0].tolist() == result.numbers(0).tolist() == list(range(6))
    assert result.head[:, 1].tolist() == list(range(6))


def test_a_schema_without_a_field_may_have_a_value_for_it():
    column = Column("sign", Cell.SHORT, otherwise="t")
    layout = Layout("signs", (), (Table("new", (column,), is_list=False),))
    schemas_ = [whole(("new", record(x="int"))), whole(("new", record(sign=["null", "string"])))]
    values_ = [{"x": 1}, {"sign": None}]
    signs = [
        project(schema, {"new": value}, layout=layout).columns[0].tolist()
        for schema, value in zip(schemas_, values_, strict=True)
    ]
    assert signs == [[short_text("t")], [0]]


def test_columns_grow_with_what_a_batch_brings():
    schema = whole(("old", {"type": "array", "items": record(x="int")}))
    result = project(schema, *({"old": [{"x": i}] * 3000} for i in range(10)))
    assert result.numbers(0).tolist() == np.repeat(np.arange(10.0), 3000).tolist()


def test_texts_that_are_no_utf8_are_refused():
    assert "UTF-8" in str(projected([b"\x04\xff\xfe"], whole(("name", "string"))).errors[0])


def test_a_schema_that_is_none_is_an_error_of_its_record_only():
    good, bad = whole(*ONE_ROW), {"type": "nonsense"}
    body = written(good, {"id": 1, "new": {"x": 1.0}})
    records = [Encoded(body, 0, len(body), orjson.dumps(item)) for item in (bad, good)]
    result = Projector(LAYOUT).project(records)
    assert list(result.errors) == [0]
    assert result.owner[0].tolist() == [1]


def test_a_layout_may_want_a_value_once():
    layout = Layout("twice", (Column("new.x"),), (Table("new", (Column("x"),), is_list=False),))
    with pytest.raises(ValueError, match="`x` twice"):
        project(whole(*ONE_ROW), {"id": 1, "new": {"x": 1.0}}, layout=layout)
