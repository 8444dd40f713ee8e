"""The loop that runs a compiled schema over the bytes of a batch, and checks every read.

A program is an array of ops, a row (code, a, b, slot) each; `compile_schema.py` writes them. Jumps
are displacements, so programs stand one after the other in one array and every message of a batch
names its own. A slot >= 0 is a column of the row that is being filled, NO_SLOT is nothing, and a
lower one a column of the message's head (see `head_slot`).

Whatever the bytes, a run ends: each op but a bounded number consumes some, and an array whose
items would not is not walked.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from broker_classifier.compiled import compiled

# Ops that pass over values: how many bytes or values is in `a`.
SKIP_FIXED, SKIP_VARINTS, SKIP_TEXT, SKIP_NULLABLE_FIXED, SKIP_NULLABLE_VARINTS = range(5)
# Ops that keep a value in `slot`, as a float64 up to MARK, as an int64 after it.
BOOLEAN, LONG, FLOAT, DOUBLE, MARK, INTEGER, TEXT, SHORT, CODE, CONSTANT = range(5, 15)
# Ops that say what comes next.
NULLABLE, UNION, JUMP, ROW = range(15, 19)
ARRAY, NOTHINGS, NEXT, CALL, RETURN, HEAD_END, END = range(19, 26)

NO_SLOT = -1
MAX_DEPTH = 64
OP_SIZE = 32  # bytes of an op
MOST_NOTHINGS = 1_000_000  # items without bytes that a block may announce
SHORT_TEXT = 7  # bytes of text that fit into a SHORT cell, beside their number

# Why a run stopped, in place of a position.
TRUNCATED, NO_BRANCH, TOO_LONG, BAD_LENGTH, TOO_DEEP, NO_SYMBOL, LEFT_OVER = range(-1, -8, -1)
TABLE_FULL, TOO_MANY = -8, -9


def _loader(numba_type: Any, llvm_type: Any) -> Any:
    """Make the function that reads one value at an address, aligned or not."""

    def load(_: Any, address: Any) -> Any:
        def generate(__: Any, builder: Any, ___: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], llvm_type.as_pointer())
            return builder.load(pointer, align=1)

        return numba_type(address), generate

    return intrinsic(load)


def _storer(numba_type: Any) -> Any:
    """Make the function that writes one value at an address."""

    def store(_: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, ___: Any, arguments: Any) -> Any:
            llvm_type = context.get_value_type(numba_type)
            pointer = builder.inttoptr(arguments[0], llvm_type.as_pointer())
            builder.store(arguments[1], pointer, align=1)
            return context.get_dummy_value()

        return types.void(address, numba_type), generate

    return intrinsic(store)


_byte_at = _loader(types.uint8, ir.IntType(8))
_float_at = _loader(types.float32, ir.FloatType())
_double_at = _loader(types.float64, ir.DoubleType())
long_at = _loader(types.int64, ir.IntType(64))
store_long = _storer(types.int64)
store_double = _storer(types.float64)
store_int = _storer(types.int32)


def head_slot(column: int) -> int:
    """Return the slot of a column of the head; its own inverse."""
    return -2 - column


@compiled
def varint(base: int, p: int, end: int) -> tuple[int, int]:
    """Read a zigzag integer; return it and the position after it, or a reason below 0."""
    if p >= end:
        return 0, TRUNCATED
    byte: Any = np.int64(_byte_at(base + p))
    value = byte & 0x7F
    shift = 7
    p += 1
    while byte & 0x80:
        if p >= end:
            return 0, TRUNCATED
        if shift > 63:
            return 0, TOO_LONG
        byte = np.int64(_byte_at(base + p))
        value |= (byte & 0x7F) << shift
        shift += 7
        p += 1
    return ((value >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(value & 1), p


@compiled
def _past_varints(base: int, p: int, end: int, n: int) -> int:
    for _ in range(n):
        while True:
            if p >= end:
                return TRUNCATED
            p += 1
            if _byte_at(base + p - 1) < 0x80:
                break
    return p


@compiled
def _past_bytes(p: int, end: int, n: int) -> int:
    if n < 0:
        return BAD_LENGTH
    return p + n if n <= end - p else TRUNCATED


@compiled
def _past_text(base: int, p: int, end: int) -> int:
    n, p = varint(base, p, end)
    return p if p < 0 else _past_bytes(p, end, n)


@compiled
def _past_nullable_fixed(base: int, p: int, end: int, size: int, null: int, n: int) -> int:
    """Pass over n unions of null, which is the byte `null`, and a type of `size` bytes."""
    for _ in range(n):
        if p >= end:
            return TRUNCATED
        branch = np.int64(_byte_at(base + p))
        if branch > 2 or branch & 1:
            return NO_BRANCH
        p += 1 if branch == null else 1 + size
    return p if p <= end else TRUNCATED


@compiled
def _past_nullable_varints(base: int, p: int, end: int, null: int, n: int) -> int:
    for _ in range(n):
        if p >= end:
            return TRUNCATED
        branch = np.int64(_byte_at(base + p))
        if branch > 2 or branch & 1:
            return NO_BRANCH
        p += 1
        if branch != null:
            p = _past_varints(base, p, end, 1)
            if p < 0:
                return p
    return p


@compiled
def skip(base: int, p: int, end: int, code: int, a: int, b: int, n: int) -> int:
    """Run an op that keeps nothing; return the position after its bytes."""
    if code == SKIP_NULLABLE_FIXED:
        return _past_nullable_fixed(base, p, end, a, b, n)
    if code == SKIP_NULLABLE_VARINTS:
        return _past_nullable_varints(base, p, end, b, n)
    if code == SKIP_VARINTS:
        return _past_varints(base, p, end, a)
    if code == SKIP_FIXED:
        return _past_bytes(p, end, a)
    return _past_text(base, p, end)


@compiled
def number(base: int, p: int, end: int, code: int) -> tuple[float, int]:
    """Read a value that is kept as a float64; return it and the position after it."""
    if code == DOUBLE:
        return (_double_at(base + p), p + 8) if end - p >= 8 else (0.0, TRUNCATED)
    if code == FLOAT:
        return (np.float64(_float_at(base + p)), p + 4) if end - p >= 4 else (0.0, TRUNCATED)
    if code == LONG:
        value, p = varint(base, p, end)
        return np.float64(value), p
    if code == BOOLEAN:
        return (np.float64(_byte_at(base + p) != 0), p + 1) if end > p else (0.0, TRUNCATED)
    return 1.0, p


@compiled
def word(base: int, p: int, end: int, code: int, a: int, at: int) -> tuple[int, int]:
    """Read a value that is kept as an int64: an integer, a text's place, or a short text."""
    if code == CONSTANT:
        return a, p
    n, p = varint(base, p, end)
    if p < 0 or code == INTEGER:
        return n, p
    if code == CODE:  # an enum: its symbols stand in the ops that follow
        return (long_at(at + (1 + n) * OP_SIZE + 8), p) if 0 <= n < a else (0, NO_SYMBOL)
    after = _past_bytes(p, end, n)
    if after < 0:
        return 0, after
    return (p << 32 | n) if code == TEXT else short(base, p, n), after


@compiled
def short(base: int, p: int, n: int) -> int:
    """Pack a text's first bytes and its length (255 for all longer ones) into 64 bits."""
    packed: Any = min(n, 255) << 56
    for k in range(min(n, SHORT_TEXT)):
        packed |= np.int64(_byte_at(base + p + k)) << (8 * k)
    return int(packed)


@compiled
def branch(base: int, p: int, end: int, code: int, a: int, b: int) -> tuple[int, int]:
    """Choose the branch of a union; return the position after its index, and how far to jump."""
    n, p = varint(base, p, end)
    if p < 0:
        return p, 0
    if code == NULLABLE:
        if n < 0 or n > 1:
            return NO_BRANCH, 0
        return p, a if 2 * n == b else 1
    return (p, 1 + n) if 0 <= n < a else (NO_BRANCH, 0)


@compiled
def block(base: int, p: int, end: int, item_size: int) -> tuple[int, int]:
    """Read the count of an array's or map's next block, no more than there are bytes for."""
    n, p = varint(base, p, end)
    if p >= 0 and n < 0:
        n = -n
        _, p = varint(base, p, end)  # the block's size in bytes
    if p < 0:
        return 0, p
    if n < 0:
        return 0, BAD_LENGTH
    return (0, TRUNCATED) if item_size > 0 and n > (end - p) // item_size else (n, p)


@compiled
def past_nothings(base: int, p: int, end: int) -> int:
    """Pass over an array whose items have no bytes, if it does not announce absurdly many."""
    n = 1
    while n != 0 and p >= 0:
        n, p = block(base, p, end, 0)
        if n > MOST_NOTHINGS:
            return TOO_MANY
    return p
