"""Python loops compiled by numba, kept on disk where there is a folder to keep them in."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

ROW_BYTES = 64  # what `copy_row` copies
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile with numba, as a part of whatever calls it."""
    return cast(F, njit(nogil=True)(function))


def cached(function: F) -> F:
    """Compile what Python calls, and keep it on disk; see `cached_for`."""
    return cached_for()(function)


def cached_for(signature: Any = None) -> Callable[[F], F]:
    """Compile, at once if a signature is given, and keep it on disk if numba may write somewhere.

    What numba keeps it drops when the function's own file changes, not when others do. A function
    that calls into other files therefore has to be a closure over their `stamp`.
    """

    def compile_and_keep(function: F) -> F:
        try:
            return cast(F, njit(signature, cache=True, nogil=True)(function))
        except RuntimeError:  # "no locator available": everything is read-only
            return cast(F, njit(signature, nogil=True)(function))

    return compile_and_keep


def stamp(*sources: str) -> str:
    """Sum up the contents of source files."""
    return sha256(b"".join(Path(source).read_bytes() for source in sources)).hexdigest()


def _copy_row(_: Any, to_address: Any, from_address: Any) -> Any:
    def generate(context: Any, builder: Any, __: Any, arguments: Any) -> Any:
        row = ir.VectorType(ir.IntType(8), ROW_BYTES).as_pointer()
        there, here = (builder.inttoptr(one, row) for one in arguments)
        builder.store(builder.load(here, align=1), there, align=1)
        return context.get_dummy_value()

    return types.void(to_address, from_address), generate


copy_row: Any = intrinsic(_copy_row)
"""Copy a row of bytes from one address to another, with no check; for compiled functions."""
