"""How the process of the service lives: its memory, its end, its logs."""

import ctypes
import gc
import logging
import signal
import sys
import threading

import structlog

from broker_classifier.config import LogSettings

MIB = 1 << 20
# Of glibc's malloc.h: option, value.
_KEEP = (
    (-8, 1),  # M_ARENA_MAX: what one thread frees another takes
    (-3, 32 * MIB),  # M_MMAP_THRESHOLD, the largest that it takes
    (-1, 1024 * MIB),  # M_TRIM_THRESHOLD: what is free at the end stays up to this
    (-2, 64 * MIB),  # M_TOP_PAD: grow in steps of this
)


def keep_freed_memory() -> bool:
    """Keep freed memory instead of handing it back to the kernel; call it before threads start.

    Alerts come and go by tens of megabytes a batch. By default glibc hands such blocks back at
    once, and the kernel has to find and clear every page anew: half of the cost of reading a topic.

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


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set from now on."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def configure_logs(settings: LogSettings) -> None:
    """Set level and form of all logs of this process."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
