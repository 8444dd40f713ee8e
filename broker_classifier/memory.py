"""How a process that lives on a stream keeps its memory: what it has had once it keeps.

Alerts come and go by tens of megabytes a batch. By default glibc hands such blocks back at once,
and the kernel has to find and clear every page anew: half of what reading a topic costs.
"""

import ctypes
import gc

MIB = 1 << 20
# Of glibc's malloc.h: option, value.
_KEEP = (
    (-8, 1),  # M_ARENA_MAX: what one thread frees another takes
    (-3, 32 * MIB),  # M_MMAP_THRESHOLD, the largest that it takes
    (-1, 1024 * MIB),  # M_TRIM_THRESHOLD: what is free at the end stays up to this
    (-2, 64 * MIB),  # M_TOP_PAD: grow in steps of this
)


def keep_freed_memory() -> bool:
    """Let malloc keep what is freed; call it before other threads start.

    Returns
    -------
    bool
        Whether this C library takes such settings; without them all works, but slower.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all([mallopt(option, value) for option, value in _KEEP])


def leave_out_of_collections() -> None:
    """Free the garbage collector from walking all that was loaded at the start, again and again."""
    gc.collect()
    gc.freeze()
