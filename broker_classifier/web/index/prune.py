"""Keep the index within its time and its size: the objects least lately seen go first."""

import sqlite3

SHARE = 0.05
"""Share of the objects that goes at once, where the index has grown too large."""

_TABLES = ("answers", "curves", "drawings", "objects")


def prune(connection: sqlite3.Connection, now: float, retention_s: float, most_bytes: float) -> int:
    """Forget objects without an answer for so long, and the oldest while the index is too large.

    Returns
    -------
    int
        How many rows of the list went.
    """
    n_gone = _forget(connection, "seen < ?", now - retention_s)
    while used_bytes(connection) > most_bytes:
        row = connection.execute(
            "SELECT seq FROM objects ORDER BY seq LIMIT 1 OFFSET"
            " (SELECT cast(count(*) * ? AS INTEGER) FROM objects)",
            (SHARE,),
        ).fetchone()
        if row is None:
            break
        n_gone += _forget(connection, "seq <= ?", row[0])
    return n_gone


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the size of the index without the pages that are free to be written again."""

    def pragma(name: str) -> int:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")


def _forget(connection: sqlite3.Connection, which: str, bound: float) -> int:
    connection.execute("BEGIN IMMEDIATE")
    chosen = f"(SELECT key FROM objects WHERE {which})"
    n_gone = 0
    for table in _TABLES:
        n_gone = connection.execute(f"DELETE FROM {table} WHERE key IN {chosen}", (bound,)).rowcount
    connection.execute("COMMIT")
    return n_gone
