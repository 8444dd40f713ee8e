"""The index as requests read it: a connection for each thread that answers."""

import sqlite3
import threading
from pathlib import Path

from broker_classifier.web.index.tables import open_for_reading


class Reading:
    """Opens the index beside its writer, once a thread.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_for_reading(self._path)
        return connection
