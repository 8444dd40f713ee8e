"""A layout names the fields that are wanted of a record; a projection holds their values."""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import MessageError
from broker_classifier.surveys.avro.kernel import NO_SLOT, SHORT_TEXT, head_slot

MOST_ROWS = 50_000
"""Of one record: ten years of a field that is visited every night have fewer."""
TOO_MANY_ROWS = f"the histories have more than {MOST_ROWS} entries; no alert's do"


class Cell(Enum):
    """How 64 bits hold a value. Where there is none: NaN for a number, 0 for all others.

    A number is a float64 and may come from any numeric type, an integer is exact. A short text
    is 7 bytes and their number (see `short_text`), a text its place in the message.
    """

    NUMBER = "number"
    INTEGER = "integer"
    SHORT = "short text"
    TEXT = "text"
    PRESENT = "presence"


@dataclass(frozen=True)
class Column:
    """A field that is wanted, by its dotted path from the record (or the table's item) on.

    Attributes
    ----------
    path : str
    cell : Cell
    otherwise : str or None
        The short text of records whose schema lacks the field.
    """

    path: str
    cell: Cell = Cell.NUMBER
    otherwise: str | None = None


@dataclass(frozen=True)
class Table:
    """A field whose items become rows: a list of records, or one record.

    The columns of all tables stand in the same places, the first in place 0.
    """

    path: str
    columns: tuple[Column, ...]
    is_list: bool = True


@dataclass(frozen=True)
class Layout:
    """All that is wanted of one survey's records; the first table holds the new detection.

    With `counts_items` every item of any array or map is a row, without columns.
    """

    name: str
    head: tuple[Column, ...] = ()
    tables: tuple[Table, ...] = ()
    counts_items: bool = False

    def blanks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells of a head, and of one row of every table, that nothing was found for."""
        width = max((len(table.columns) for table in self.tables), default=0)
        rows = np.zeros((len(self.tables), width), dtype=np.int64)
        for row, table in zip(rows, self.tables, strict=True):
            row[: len(table.columns)] = [_blank(column) for column in table.columns]
        return np.array([_blank(column) for column in self.head], dtype=np.int64), rows

    def texts(self) -> list[int]:
        """Return the places of the texts in the head."""
        return [place for place, column in enumerate(self.head) if column.cell is Cell.TEXT]


@dataclass(frozen=True)
class Projected:
    """What a layout wanted of n records.

    Attributes
    ----------
    head : int64, shape (n, n_head)
        Cells of every record.
    columns : int64, shape (n_columns, n_rows)
        Cells of the rows of all tables, record by record.
    owner : int32, shape (2, n_rows)
        Record and table of every row; the records ascend.
    texts : dict of int to list of str
        The texts of every record, by their column in the head.
    errors : dict of int to MessageError
        Records that could not be read; their other values mean nothing.
    """

    head: NDArray[np.int64]
    columns: NDArray[np.int64]
    owner: NDArray[np.int32]
    texts: dict[int, list[str]]
    errors: dict[int, MessageError]

    def numbers(self, column: int) -> NDArray[np.float64]:
        """Return a column of the rows that holds numbers, shape (n_rows,)."""
        cells: NDArray[np.float64] = self.columns[column].view(np.float64)
        return cells

    def head_numbers(self, column: int) -> NDArray[np.float64]:
        """Return a column of the heads that holds numbers, shape (n,)."""
        cells: NDArray[np.float64] = self.head[:, column].copy().view(np.float64)
        return cells


@dataclass
class Wish:
    """What is wanted of one field; the fields of a record are its children.

    Attributes
    ----------
    column : Column or None
        The column that takes the field's value.
    slot : int
        The place of that column.
    table : int or None
        The number of the table that the field's items go to.
    is_list : bool
        Whether the field is a list of items, and not a single one.
    children : dict of str to Wish
        By name, the fields that are wanted of a record.
    """

    column: Column | None = None
    slot: int = NO_SLOT
    table: int | None = None
    is_list: bool = False
    children: dict[str, "Wish"] = field(default_factory=dict)


def wishes(layout: Layout) -> Wish:
    """Arrange a layout's paths as a tree."""
    root = Wish()
    for place, column in enumerate(layout.head):
        _want(_descend(root, column.path), column, head_slot(place))
    for number, table in enumerate(layout.tables):
        item = _descend(root, table.path)
        item.table, item.is_list = number, table.is_list
        for place, column in enumerate(table.columns):
            _want(_descend(item, column.path), column, place)
    return root


def short_text(text: str) -> int:
    """Pack a short text as the kernel does.

    >>> hex(short_text("r")), hex(short_text(""))
    ('0x100000000000072', '0x0')
    """
    encoded = text.encode()
    packed = min(len(encoded), 255).to_bytes(1, "big") + encoded[:SHORT_TEXT][::-1].rjust(7, b"\0")
    return int.from_bytes(packed, "big", signed=True)


def _blank(column: Column) -> int:
    return int(np.float64("nan").view(np.int64)) if column.cell is Cell.NUMBER else 0


def _want(wish: Wish, column: Column, slot: int) -> None:
    if wish.column is not None:
        msg = f"the layout wants `{column.path}` twice; a value goes to one place"
        raise ValueError(msg)
    wish.column, wish.slot = column, slot


def _descend(wish: Wish, path: str) -> Wish:
    for name in path.split("."):
        wish = wish.children.setdefault(name, Wish())
    return wish
