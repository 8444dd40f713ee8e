"""Python loops compiled by numba, kept on disk where there is a folder to keep them in.

What compiled functions are declared for has a name here. Arrays are contiguous; one that is
read-only takes writable ones, too.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import from_dtype, njit, types
from numba.extending import intrinsic

ROW_BYTES = 64  # what `copy_row` copies
F = TypeVar("F", bound=Callable[..., Any])

NOTHING, BOOL = types.void, types.bool_
UINT32, INT64, UINT64, FLOAT64 = types.uint32, types.int64, types.uint64, types.float64
BOOLS, UINT8S, UINT32S, UINT64S = BOOL[::1], types.uint8[::1], types.uint32[::1], UINT64[::1]
INT64S, FLOAT32S, FLOAT64S = INT64[::1], types.float32[::1], FLOAT64[::1]
UINT8_ROWS, FLOAT32_ROWS = types.uint8[:, ::1], types.float32[:, ::1]
FLOAT64_ROWS = FLOAT64[:, ::1]
READONLY_UINT8S = types.Array(types.uint8, 1, "C", readonly=True)
READONLY_INT64S = types.Array(INT64, 1, "C", readonly=True)
STRIDED_BOOLS, STRIDED_FLOAT64S = BOOL[:], types.Array(FLOAT64, 1, "A", readonly=True)


def records_of(dtype: Any, *, readonly: bool = False) -> Any:
    """Name an array of records, shape (n,)."""
    return types.Array(from_dtype(dtype), 1, "C", readonly=readonly)


def tuple_of(*parts: Any) -> Any:
    """Name a tuple of values of these types."""
    return types.Tuple(parts)  # type: ignore[no-untyped-call]


def compiled(function: F) -> F:
    """Compile with numba, as a part of whatever calls it."""
    return cast(F, njit(nogil=True)(function))


def cached(function: F) -> F:
    """Compile what Python calls, and keep it on disk; see `cached_for`."""
    return cached_for()(function)


def cached_for(signature: Any = None) -> Callable[[F], F]:
    """Compile, at once if a signature is given, and keep it on disk if numba may write somewhere.

    What numba keeps it drops when the function's own file changes, not when others do: see
    `cached_with`.
    """

    def compile_and_keep(function: F) -> F:
        try:
            return cast(F, njit(signature, cache=True, nogil=True)(function))
        except RuntimeError:  # "no locator available": everything is read-only
            return cast(F, njit(signature, nogil=True)(function))

    return compile_and_keep


def cached_with(*sources: str) -> Callable[[Callable[[str], F]], F]:
    """Compile what calls into other files, and keep it until one of these files changes.

    numba compares what a function closes over, not the files of what it calls. So the decorated
    function gets a sum over `sources`, and returns the function to compile, which names it.
    """

    def compile_and_keep(make: Callable[[str], F]) -> F:
        contents = b"".join(Path(source).read_bytes() for source in sources)
        return cached(make(sha256(contents).hexdigest()))

    return compile_and_keep


def _copy_row(_: Any, to_address: Any, from_address: Any) -> Any:
    def generate(context: Any, builder: Any, __: Any, arguments: Any) -> Any:
        row = ir.VectorType(ir.IntType(8), ROW_BYTES).as_pointer()
        there, here = (builder.inttoptr(address, row) for address in arguments)
        builder.store(builder.load(here, align=1), there, align=1)
        return context.get_dummy_value()

    return types.void(to_address, from_address), generate


copy_row: Any = intrinsic(_copy_row)
"""Copy a row of bytes from one address to another, with no check; for compiled functions."""
