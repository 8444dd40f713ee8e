"""Reading what a layout wants from decoded records, for schemas that the kernel cannot run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from broker_classifier.errors import SchemaError
from broker_classifier.surveys.avro.container import Record
from broker_classifier.surveys.avro.layout import (
    Cell,
    Column,
    Layout,
    Projected,
    short_text,
)


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
    return with_decoded(nothing, enumerate(records), layout)


def with_decoded(
    result: Projected, records: Iterable[tuple[int, Record]], layout: Layout
) -> Projected:
    """Add what a layout wants of some of a batch's records to a result that lacks them."""
    owners, columns = [result.owner], [result.columns]
    for m, record in records:
        try:
            result.head[m] = [_cell(record, column) for column in layout.head]
            rows = list(_rows(record, layout))
        except SchemaError as error:
            result.errors[m] = error
            continue
        for column, texts in result.texts.items():
            texts[m] = _text(record, layout.head[column].path)
        owners.append(np.array([(m, table) for table, _ in rows], np.int32).reshape(-1, 2).T)
        cells = [row + [0] * (len(result.columns) - len(row)) for _, row in rows]
        columns.append(np.array(cells, dtype=np.int64).reshape(-1, len(result.columns)).T)
    owner, cells_ = np.concatenate(owners, axis=1), np.concatenate(columns, axis=1)
    order = np.argsort(owner[0], kind="stable")
    return replace(result, columns=cells_[:, order], owner=owner[:, order])


def _rows(record: Record, layout: Layout) -> Iterator[tuple[int, list[int]]]:
    for number, table in enumerate(layout.tables):
        for item in _items(record, table.path, table.is_list):
            yield number, [_cell(item, column) for column in table.columns]


def _text(record: Record, path: str) -> str:
    text = _field(record, path)
    return "" if text is None else str(text)


def _items(record: Record, path: str, is_list: bool) -> Iterator[Any]:
    value = _field(record, path)
    if is_list:
        yield from value if isinstance(value, list | tuple) else ()
    elif isinstance(value, dict):
        yield value


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
