"""Structured logs; of a program that did not configure structlog, they go to Python's `logging`."""

import time
from datetime import UTC, datetime
from typing import Any

import structlog

REMINDED_EVERY_S = 60.0


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


class WaitingLog:
    """What is waited for: a line in the log when it begins, one a minute, and one at its end.

    Parameters
    ----------
    who : str
        Who waits: "the page".
    """

    def __init__(self, who: str) -> None:
        self._who, self._since, self._next_reminder = who, "", 0.0
        self._log = get_logger()

    def note(self, reason: str) -> None:
        """Note why it waits; "" when it does not."""
        now = time.monotonic()
        if not reason and self._since:
            self._log.warning(f"{self._who} goes on", waited_since=self._since)
            self._since = ""
        elif reason and not self._since:
            self._since = datetime.now(UTC).isoformat(timespec="seconds")
            self._next_reminder = now + REMINDED_EVERY_S
            self._log.warning(f"{self._who} waits", reason=reason)
        elif reason and now >= self._next_reminder:
            self._next_reminder = now + REMINDED_EVERY_S
            self._log.warning(f"{self._who} still waits", reason=reason, since=self._since)
