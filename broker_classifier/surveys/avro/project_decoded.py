"""Reading what a layout wants from decoded records, for schemas that the kernel cannot run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from broker_classifier.errors import SchemaError
from broker_classifier.surveys.avro.container import Record
from broker_classifier.surveys.avro.layout import Cell, Column, Layout, Projected, short_text


def project_decoded(records: Sequence[Record], layout: Layout) -> Projected:
    """Read what a layout wants of records that are decoded already."""
    head, blanks = layout.blanks()
    n_columns = blanks.shape[1]
    nothing = Projected(
        np.tile(head, (len(records), 1)),
        np.empty((n_columns, 0), dtype=np.int64),
        np.empty((2, 0), dtype=np.int32),
        {column: [""] * len(records) for column in layout.texts()},
        {},
    )
    return with_decoded(nothing, dict(enumerate(records)), layout)


def with_decoded(result: Projected, records: Mapping[int, Record], layout: Layout) -> Projected:
    """Add what a layout wants of some of a batch's records to a result that lacks them."""
    owners, rows = [], []
    for m, record in records.items():
        try:
            result.head[m] = [_cell(record, column) for column in layout.head]
        except SchemaError as error:
            result.errors[m] = error
            continue
        for column, texts in result.texts.items():
            texts[m] = _text(record, layout.head[column].path)
        for table, row in _rows(record, layout):
            owners.append((m, table))
            rows.append(row + [0] * (len(result.columns) - len(row)))
    new_owners = np.array(owners, dtype=np.int32).reshape(-1, 2).T
    new_rows = np.array(rows, dtype=np.int64).reshape(-1, len(result.columns)).T
    owner = np.concatenate([result.owner, new_owners], axis=1)
    order = np.argsort(owner[0], kind="stable")
    columns = np.concatenate([result.columns, new_rows], axis=1)
    return replace(result, columns=columns[:, order], owner=owner[:, order])


def _rows(record: Record, layout: Layout) -> Iterator[tuple[int, list[int]]]:
    for number, table in enumerate(layout.tables):
        for item in _items(record, table.path, table.is_list):
            yield number, [_cell(item, column) for column in table.columns]


def _text(record: Record, path: str) -> str:
    text = _field(record, path)
    return "" if text is None else str(text)


def _items(record: Record, path: str, is_list: bool) -> Iterator[Any]:
    found = _field(record, path)
    if is_list:
        yield from found if isinstance(found, list | tuple) else ()
    elif isinstance(found, dict):
        yield found


_ABSENT = object()


def _field(record: Any, path: str, absent: Any = None) -> Any:
    for name in path.split("."):
        if not isinstance(record, dict) or name not in record:
            return absent
        record = record[name]
    return record


def _cell(record: Any, column: Column) -> int:
    value = _field(record, column.path, _ABSENT)
    if column.cell is Cell.NUMBER:
        is_number = isinstance(value, int | float)
        return int(np.float64(value if is_number else np.nan).view(np.int64))
    if value is _ABSENT and column.otherwise is not None:
        return short_text(column.otherwise)
    if value is _ABSENT or value is None or column.cell is Cell.TEXT:
        return 0
    if column.cell is Cell.PRESENT:
        return int(np.float64(1.0).view(np.int64))
    return short_text(str(value)) if column.cell is Cell.SHORT else _integer(value, column.path)


def _integer(value: Any, path: str) -> int:
    try:
        integer = int(value)
    except (TypeError, ValueError, OverflowError):
        integer = 2**64
    if not -(2**63) <= integer < 2**63:
        msg = f"`{path}` is {value!r}, not an integer of 64 bits"
        raise SchemaError(msg)
    return integer
