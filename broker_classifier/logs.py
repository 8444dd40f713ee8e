"""Structured logs; of a program that did not configure structlog, they go to Python's `logging`."""

from typing import Any

import structlog


def get_logger() -> Any:
    """Return a logger of events with their facts as keywords.

    A library must not write to standard output, as structlog does if nobody tells it otherwise.
    """
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.processors.format_exc_info,
                structlog.processors.KeyValueRenderer(key_order=["event"]),
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
        )
    return structlog.get_logger()
