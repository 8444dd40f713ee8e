"""Compiling a writer's schema, any, with what is wanted of it into the kernel's ops.

Types that contain themselves become subroutines, runs of fields that nobody wants a single op.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DecodeError
from broker_classifier.surveys.avro import kernel
from broker_classifier.surveys.avro.kernel import NO_SLOT
from broker_classifier.surveys.avro.layout import Cell, Layout, Wish, short_text, wishes
from broker_classifier.surveys.avro.schema_types import Definitions, Schema, definitions, min_size

MAX_VALUES = 20_000  # the surveys' schemas have 700
_FIXED_SIZES = {"boolean": 1, "float": 4, "double": 8}
_NUMBERS = {
    "boolean": kernel.BOOLEAN,
    "int": kernel.LONG,
    "long": kernel.LONG,
    "float": kernel.FLOAT,
    "double": kernel.DOUBLE,
}
_WORDS = {
    (Cell.INTEGER, "int"): kernel.INTEGER,
    (Cell.INTEGER, "long"): kernel.INTEGER,
    (Cell.TEXT, "string"): kernel.TEXT,
    (Cell.SHORT, "string"): kernel.SHORT,
}
_ADDS_UP = {  # which column of such ops adds up when two stand one after the other
    kernel.SKIP_FIXED: 1,
    kernel.SKIP_VARINTS: 1,
    kernel.SKIP_NULLABLE_FIXED: 3,
    kernel.SKIP_NULLABLE_VARINTS: 3,
}


class InexpressibleError(Exception):
    """A schema asks for more than the ops can do; its records are read by fastavro."""


@dataclass(frozen=True)
class Program:
    """A compiled schema.

    Attributes
    ----------
    ops : int64, shape (n_ops, 4)
        Code, a, b and slot of every op; see `kernel.py`.
    paths : tuple of str
        The field that each op is about, for messages.
    """

    ops: NDArray[np.int64]
    paths: tuple[str, ...]


def compile_schema(parsed: Schema, layout: Layout) -> Program:
    """Compile a schema that fastavro has parsed (all names full).

    Raises
    ------
    InexpressibleError
        If it cannot be: an id or a text has a type that needs more than reading.
    DecodeError
        If it is no record's, or stands for more than MAX_VALUES fields.
    """
    if not isinstance(parsed, dict) or parsed.get("type") not in ("record", "error"):
        msg = "the schema is no record's, as an alert's is"
        raise DecodeError(msg)
    first_table = layout.tables[0].path.split(".")[0] if layout.tables else ""
    writer = _Writer(definitions(parsed), first_table, layout.counts_items)
    writer.record(parsed, wishes(layout))
    writer.op(kernel.END)
    writer.subroutines()
    return Program(np.array(writer.ops, dtype=np.int64), tuple(writer.paths))


@dataclass
class _Writer:
    """The ops written so far, and what is needed to write the next."""

    definitions: Definitions
    head_ends_with: str
    counts_items: bool = False
    ops: list[list[int]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    calls: dict[str, list[int]] = field(default_factory=dict)
    n_values: int = 0
    barrier: int = 0  # a jump leads here: nothing may be added to the op before

    def op(self, code: int, a: int = 0, b: int = 0, slot: int = NO_SLOT) -> int:
        """Write an op; return its place."""
        self.ops.append([code, a, b, slot])
        self.paths.append(".".join(self.path))
        return len(self.ops) - 1

    def skip(self, code: int, a: int = 0, b: int = 0, slot: int = NO_SLOT) -> None:
        """Write an op that passes over values, or add to the one before."""
        adds = _ADDS_UP.get(code)
        new = [code, a, b, slot]
        if adds and len(self.ops) > self.barrier:
            last = self.ops[-1]
            if [*last[:adds], *last[adds + 1 :]] == [*new[:adds], *new[adds + 1 :]]:
                last[adds] += new[adds]
                return
        self.op(*new)

    def land(self, *jumps: int) -> None:
        """Let jumps lead to the op that is written next."""
        self.barrier = len(self.ops)
        for jump in jumps:
            self.ops[jump][1] = len(self.ops) - jump

    def value(self, schema: Schema, wish: Wish | None) -> None:
        """Write the ops of a value of any type."""
        self.n_values += 1
        if self.n_values > MAX_VALUES:
            msg = f"the schema stands for more than {MAX_VALUES} fields; no alert's does"
            raise DecodeError(msg)
        if isinstance(schema, list):
            return self.union(schema, wish)
        if isinstance(schema, str):
            return self.named(schema, wish)
        kind = schema["type"]
        if kind in ("record", "error"):
            return self.record(schema, wish)
        if kind in ("array", "map"):
            return self.items(schema, wish)
        if kind in ("enum", "fixed"):
            return self.leaf(schema, kind, wish)
        return self.value(kind, wish)  # a primitive type with properties, such as a logical type

    def named(self, name: str, wish: Wish | None) -> None:
        """Write a primitive type, or one that the schema defines elsewhere."""
        definition = self.definitions.get(name)
        if definition is None:
            return self.leaf(None, name, wish)
        if wish is None and name in self.open:
            self.calls.setdefault(name, []).append(self.op(kernel.CALL))
            self.barrier = len(self.ops)
            return None
        return self.value(definition, wish)

    def record(self, schema: Schema, wish: Wish | None) -> None:
        """Write the fields of a record one after the other."""
        self.mark(wish)
        if wish and wish.table is not None and not wish.is_list:
            self.op(kernel.ROW, wish.table)
        children = dict(wish.children) if wish else {}
        is_top = not self.path
        with self.inside(self.open, schema["name"]):
            for part in schema["fields"]:
                with self.inside(self.path, part["name"]):
                    self.value(part["type"], children.pop(part["name"], None))
                if is_top and part["name"] == self.head_ends_with:
                    self.op(kernel.HEAD_END)
        for child in children.values():
            if child.column and child.column.otherwise is not None:
                otherwise = short_text(child.column.otherwise)
                self.op(kernel.CONSTANT, otherwise, slot=child.slot)

    def items(self, schema: Schema, wish: Wish | None) -> None:
        """Write an array, or a map, which is an array of keys and values."""
        self.mark(wish)
        is_map = schema["type"] == "map"
        item = schema["values"] if is_map else schema["items"]
        size = min_size(item, self.definitions) + is_map
        if size == 0:
            self.op(kernel.NOTHINGS)
            return
        start = self.op(kernel.ARRAY, b=size)
        self.barrier = len(self.ops)
        if is_map:
            self.skip(kernel.SKIP_TEXT)
        is_table = wish is not None and wish.is_list and not is_map
        if (wish and is_table) or self.counts_items:
            self.op(kernel.ROW, (wish and wish.table) or 0)
        self.value(item, Wish(children=wish.children) if wish and is_table else None)
        self.op(kernel.NEXT)
        self.land(start)

    def union(self, branches: Sequence[Schema], wish: Wish | None) -> None:
        """Write a union, the common one of null and something in fewer ops."""
        if len(branches) == 2 and "null" in branches:
            null = list(branches).index("null")
            return self.nullable(branches[1 - null], 2 * null, wish)
        self.op(kernel.UNION, len(branches))
        entries = [self.op(kernel.JUMP) for _ in branches]
        exits = []
        for entry, branch in zip(entries, branches, strict=True):
            self.land(entry)
            self.value(branch, wish)
            exits.append(self.op(kernel.JUMP))
        return self.land(*exits)

    def nullable(self, schema: Schema, null: int, wish: Wish | None) -> None:
        """Write a union of null and one other type."""
        name = schema if isinstance(schema, str) else schema.get("type")
        size = schema["size"] if name == "fixed" else _FIXED_SIZES.get(str(name), 0)
        if wish is None and size:
            return self.skip(kernel.SKIP_NULLABLE_FIXED, size, null, 1)
        if wish is None and name in ("int", "long", "enum"):
            return self.skip(kernel.SKIP_NULLABLE_VARINTS, 0, null, 1)
        start = self.op(kernel.NULLABLE, b=null)
        self.barrier = len(self.ops)
        self.value(schema, wish)
        return self.land(start)

    def leaf(self, schema: Schema | None, kind: str, wish: Wish | None) -> None:
        """Write a value that contains no others, kept if it is wanted."""
        column = wish.column if wish else None
        if kind != "null":
            self.mark(wish)
        if wish is None or column is None or column.cell is Cell.PRESENT or kind == "null":
            return self.pass_over(schema, kind)
        if column.cell is Cell.NUMBER:
            if kind not in _NUMBERS:
                return self.pass_over(schema, kind)
            self.op(_NUMBERS[kind], slot=wish.slot)
        elif (column.cell, kind) in _WORDS:
            self.op(_WORDS[column.cell, kind], slot=wish.slot)
        elif column.cell is Cell.SHORT and schema and kind == "enum":
            self.symbols(schema["symbols"], wish.slot)
        else:
            msg = f"`{'.'.join(self.path)}` is a {kind}, which is no {column.cell.value}"
            raise InexpressibleError(msg)
        return None

    def symbols(self, symbols: Sequence[str], slot: int) -> None:
        """Write an enum whose symbol is wanted: one op, and the symbols after it."""
        self.op(kernel.CODE, len(symbols), slot=slot)
        for symbol in symbols:
            self.op(kernel.CONSTANT, short_text(symbol))
        self.barrier = len(self.ops)

    def pass_over(self, schema: Schema | None, kind: str) -> None:
        """Write an op that reads nothing of a value without others inside."""
        if kind in _FIXED_SIZES:
            self.skip(kernel.SKIP_FIXED, _FIXED_SIZES[kind])
        elif kind == "fixed" and schema:
            self.skip(kernel.SKIP_FIXED, schema["size"])
        elif kind in ("int", "long", "enum"):
            self.skip(kernel.SKIP_VARINTS, 1)
        elif kind != "null":
            self.skip(kernel.SKIP_TEXT)

    def mark(self, wish: Wish | None) -> None:
        """Note that a value is there, where that is what is wanted."""
        if wish and wish.column and wish.column.cell is Cell.PRESENT:
            self.op(kernel.MARK, slot=wish.slot)

    def subroutines(self) -> None:
        """Write the types that contain themselves, once each, and let their calls find them."""
        written: dict[str, int] = {}
        while pending := set(self.calls) - set(written):
            name = min(pending)
            written[name] = len(self.ops)
            self.barrier, self.open, self.path = len(self.ops), [name], [name]
            self.value(self.definitions[name], None)
            self.op(kernel.RETURN)
        for name, calls in self.calls.items():
            for call in calls:
                self.ops[call][1] = written[name] - call

    @contextmanager
    def inside(self, names: list[str], name: str) -> Iterator[None]:
        """Hold a name in one of the lists for as long as its fields are written."""
        names.append(name)
        yield
        names.pop()
