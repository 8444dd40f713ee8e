"""Running programs over a batch: one flat loop for each message, results in columns.

The ops are in `kernel.py`. Within the loop everything is an address: numba would count references
to arrays at every op. What is written is bounded by the columns' capacity, what is read by the
record's end.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import cached_with, compiled
from broker_classifier.surveys.avro import kernel
from broker_classifier.surveys.avro.kernel import (
    ARRAY,
    CODE,
    CONSTANT,
    END,
    HEAD_END,
    JUMP,
    LEFT_OVER,
    MARK,
    MAX_DEPTH,
    NEXT,
    NOTHINGS,
    OP_SIZE,
    RETURN,
    ROW,
    SKIP_NULLABLE_VARINTS,
    TABLE_FULL,
    TOO_DEEP,
    block,
    branch,
    long_at,
    number,
    past_nothings,
    skip,
    store_double,
    store_int,
    store_long,
    word,
)


class Outputs(NamedTuple):
    """Where the values of a batch go; cells hold 64 bits, a float64's or an int64's.

    Attributes
    ----------
    head : int64, shape (n_messages, n_head)
        One row a message.
    columns : int64, shape (n_columns, capacity)
        One entry for each row of a table, in the order of the bytes.
    owner : int32, shape (2, capacity)
        Message and table of every such row.
    blanks : int64, shape (n_tables, n_columns)
        What a row holds where its message has nothing.
    """

    head: NDArray[np.int64]
    columns: NDArray[np.int64]
    owner: NDArray[np.int32]
    blanks: NDArray[np.int64]


class Inputs(NamedTuple):
    """Records of a batch; all arrays int64, shape (n_messages,).

    Attributes
    ----------
    addresses : where each message's bytes are in memory
    begins, ends : first byte of its record, and the one after its last
    starts : first op of its program; none is run where it is negative
    """

    addresses: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    starts: NDArray[np.int64]


class _Memory(NamedTuple):
    """Addresses of arrays, and their lengths."""

    head: int
    columns: int
    capacity: int
    n_columns: int
    owner: int
    blanks: int
    stack: int


@compiled
def _nested(
    base: int, p: int, end: int, code: int, at: int, stack: int, depth: int
) -> tuple[int, int, int]:
    """Enter, repeat or leave an array or a named type; return position, next op and depth.

    The stack holds the address of the array or call, and how many items are left.
    """
    top = stack + 16 * (depth - 1)
    if code == NEXT:
        return _next_item(base, p, end, top, depth)
    if code == NOTHINGS:
        return past_nothings(base, p, end), at + OP_SIZE, depth
    if code == RETURN:
        return p, long_at(top) + OP_SIZE, depth - 1
    n, a = 1, long_at(at + 8)
    if code == ARRAY:
        n, p = block(base, p, end, long_at(at + 16))
        if n == 0:
            return p, at + OP_SIZE * a, depth
    if depth == MAX_DEPTH:
        return TOO_DEEP, at, depth
    store_long(top + 16, at)
    store_long(top + 24, n)
    return p, at + OP_SIZE * (1 if code == ARRAY else a), depth + 1


@compiled
def _next_item(base: int, p: int, end: int, top: int, depth: int) -> tuple[int, int, int]:
    """Go back to the first op of an array's items, or behind its last."""
    start, n = long_at(top), long_at(top + 8) - 1
    if n == 0:
        n, p = block(base, p, end, long_at(start + 16))
    store_long(top + 8, n)
    if n > 0:
        return p, start + OP_SIZE, depth
    return p, start + OP_SIZE * long_at(start + 8), depth - 1


@compiled
def _begin_row(to: _Memory, n_rows: int, message: int, table: int) -> None:
    store_int(to.owner + 4 * n_rows, np.int32(message))
    store_int(to.owner + 4 * (to.capacity + n_rows), np.int32(table))
    for column in range(to.n_columns):
        blank = long_at(to.blanks + 8 * (table * to.n_columns + column))
        store_long(to.columns + 8 * (column * to.capacity + n_rows), blank)


@compiled
def _cell(to: _Memory, slot: int, row: int) -> int:
    """Return the address of a cell: of the row, or of the message's head."""
    return to.columns + 8 * (slot * to.capacity + row) if slot >= 0 else to.head - 8 * (slot + 2)


@compiled
def _run(  # noqa: C901 -- one kind of op after the other; apart, they would need the state
    at: int, base: int, p: int, end: int, head_only: bool, message: int, to: _Memory, n_rows: int
) -> tuple[int, int, int, int]:
    """Run one program; return what stopped it (0: its end), at which op and byte, and the rows."""
    depth, row = 0, n_rows - 1
    while True:
        code, a, b, slot = long_at(at), long_at(at + 8), long_at(at + 16), long_at(at + 24)
        here, following = p, at + OP_SIZE
        if code <= SKIP_NULLABLE_VARINTS:
            p = skip(base, p, end, code, a, b, slot)
        elif code <= MARK:
            value, p = number(base, p, end, code)
            store_double(_cell(to, slot, row), value)
        elif code <= CONSTANT:
            cell, p = word(base, p, end, code, a, at)
            store_long(_cell(to, slot, row), cell)
            following += OP_SIZE * a if code == CODE else 0
        elif code < JUMP:
            p, a = branch(base, p, end, code, a, b)
            following = at + OP_SIZE * a
        elif code == JUMP:
            following = at + OP_SIZE * a
        elif code == ROW:
            if n_rows == to.capacity:
                return TABLE_FULL, at, p, n_rows
            _begin_row(to, n_rows, message, a)
            row = n_rows
            n_rows += 1
        elif code < HEAD_END:
            p, following, depth = _nested(base, p, end, code, at, to.stack, depth)
        elif code == END or head_only:
            return 0, following, p, n_rows
        if p < 0:
            return p, at, here, n_rows
        at = following


@compiled
def _run_all(
    ops: NDArray[np.int64],
    inputs: Inputs,
    out: Outputs,
    stack: NDArray[np.int64],
    head_only: bool,
    first: int,
    n_rows: int,
    stops: NDArray[np.int64],
) -> tuple[int, int]:
    n_columns, capacity = out.columns.shape
    first_op = ops.ctypes.data
    for m in range(first, len(inputs.starts)):
        if inputs.starts[m] < 0:
            continue
        to = _Memory(
            out.head[m].ctypes.data, out.columns.ctypes.data, capacity, n_columns,
            out.owner.ctypes.data, out.blanks.ctypes.data, stack.ctypes.data,
        )  # fmt: skip
        at, end = first_op + OP_SIZE * inputs.starts[m], inputs.ends[m]
        reason, at, p, n = _run(
            at, inputs.addresses[m], inputs.begins[m], end, head_only, m, to, n_rows
        )
        if reason == TABLE_FULL:
            return m, n_rows
        if reason == 0 and p != end and not head_only:
            reason, p = LEFT_OVER, end - p
        stops[m, 0], stops[m, 1], stops[m, 2] = reason, (at - first_op) // OP_SIZE, p
        if reason == 0:
            n_rows = n
    return len(inputs.starts), n_rows


@cached_with(__file__, kernel.__file__)
def run(sources: str) -> Callable[..., tuple[int, int]]:
    """Make the function that runs programs."""

    def run(
        ops: NDArray[np.int64],
        inputs: Inputs,
        out: Outputs,
        stack: NDArray[np.int64],
        head_only: bool,
        first: int,
        n_rows: int,
        stops: NDArray[np.int64],
    ) -> tuple[int, int]:
        """Run the messages from `first` on, until all are done or the columns are full.

        Parameters
        ----------
        ops : int64, shape (n_ops, 4)
        stack : int64, shape (MAX_DEPTH, 2)
            Room to work in.
        head_only : bool
            Stop each where its head is complete.
        n_rows : int
            Rows that are filled already.
        stops : int64, shape (n_messages, 3)
            Set to the reason (0: done), the op and the position at which each stopped.

        Returns
        -------
        next, n_rows : int
            The message that did not fit any more (or the number of messages), and the rows filled.
        """
        _ = sources
        return _run_all(ops, inputs, out, stack, head_only, first, n_rows, stops)

    return run
