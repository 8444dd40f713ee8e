"""Questions to the index: a window of the list, counts, the map of the sky."""

import base64
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from broker_classifier.web.index.filters import Condition, Window
from broker_classifier.web.index.store_answers import newest_seq

FEW = 0.2
"""Up to this share of the objects is gathered by one scan and sorted; of more, an index gives the
order, and the scan only counts."""

_SAMPLE = 20  # one of so many keys tells the share

_ROW = (
    "o.key, o.survey, o.object_id, o.bundle, o.version, o.top_class, o.probability, o.bits,"
    " o.n_points, o.n_answers, o.n_changes, o.bands, o.first_mjd, o.last_mjd, o.ra, o.dec,"
    " o.seen, o.seq, d.spark, d.runs"
)
_NAMES = [column.strip().partition(".")[2] for column in _ROW.split(",")]


def list_objects(
    connection: sqlite3.Connection,
    condition: Condition,
    window: Window,
    of_any_class: Condition | None = None,
) -> dict[str, Any]:
    """Return a window of the list, with the number of its rows, and by class.

    The numbers by class are those of `of_any_class`, where it is given: the same filter without its
    classes, so that one sees what the others would bring.
    """
    chosen, counts = _gathered(connection, condition)
    order = f"{window.order} {'DESC' if window.descending else 'ASC'}, +seq DESC"
    rows = connection.execute(
        f"SELECT {_ROW} FROM (SELECT key FROM objects {chosen.where}"
        f" ORDER BY {order} LIMIT ? OFFSET ?) k"
        f" JOIN objects o USING (key) JOIN drawings d USING (key) ORDER BY {order}",
        (*chosen.values, window.limit, window.offset),
    )
    total = sum(counts.values())
    return {
        "total": total,
        "n_objects": _n_objects(connection) if condition.sql else total,
        "by_class": counts if of_any_class is None else count_by_class(connection, of_any_class),
        "seq": newest_seq(connection),
        "rows": _as_json(rows),
    }


def _gathered(
    connection: sqlite3.Connection, condition: Condition
) -> tuple[Condition, dict[str, int]]:
    """Return the condition, as a list of keys where they are few, and its counts by class."""
    if not condition.sql or _share(connection, condition) > FEW:
        return condition, count_by_class(connection, condition)
    chosen_rows = connection.execute(
        f"SELECT key, top_class FROM objects {condition.where}", condition.values
    ).fetchall()
    keys = orjson.dumps([key for key, _ in chosen_rows]).decode()
    chosen = Condition("key IN (SELECT value FROM json_each(?))", (keys,))
    return chosen, dict(Counter(name for _, name in chosen_rows).most_common())


def _share(connection: sqlite3.Connection, condition: Condition) -> float:
    """Estimate the share of the objects that a condition leaves, by the oldest of them."""
    # Each by itself: SQLite looks up a least or a largest key, but scans for both at once.
    [first] = connection.execute("SELECT coalesce(min(key), 0) FROM objects").fetchone()
    [last] = connection.execute("SELECT coalesce(max(key), 0) FROM objects").fetchone()
    bound = first + (last - first) // _SAMPLE
    count = "SELECT count(*) FROM objects WHERE key <= ?"
    [n_all] = connection.execute(count, (bound,)).fetchone()
    [n] = connection.execute(f"{count} AND {condition.sql}", (bound, *condition.values)).fetchone()
    return n / n_all if n_all else 0.0


def count_by_class(connection: sqlite3.Connection, condition: Condition) -> dict[str, int]:
    """Count the rows of the list by class, the most frequent first."""
    rows = connection.execute(
        f"SELECT top_class, count(*) AS n FROM objects {condition.where}"
        " GROUP BY top_class ORDER BY n DESC",
        condition.values,
    )
    return dict(rows.fetchall())


def rows_since(connection: sqlite3.Connection, seq: int, most: int) -> dict[str, Any]:
    """Return the newest rows after an answer, and how many there are in all."""
    [n] = connection.execute("SELECT count(*) FROM objects WHERE seq > ?", (seq,)).fetchone()
    rows = connection.execute(
        f"SELECT {_ROW} FROM objects o JOIN drawings d USING (key) WHERE o.seq > ?"
        " ORDER BY o.seq DESC LIMIT ?",
        (seq, most),
    )
    return {"n_objects": n, "seq": newest_seq(connection), "rows": _as_json(rows)}


def sky_cells(connection: sqlite3.Connection, condition: Condition) -> list[list[Any]]:
    """Return [mean ra, mean dec, number, most frequent class] of each cell of the sky."""
    where = condition.where.replace("WHERE", "WHERE cell NOT NULL AND") or "WHERE cell NOT NULL"
    rows = connection.execute(
        "SELECT cell, top_class, count(*), sum(ra), sum(dec) FROM objects"
        f" {where} GROUP BY cell, top_class",
        condition.values,
    )
    cells: dict[int, list[Any]] = {}
    for number, top_class, n, ra, dec in rows:
        cell = cells.setdefault(number, [0.0, 0.0, 0, top_class, 0])
        cell[0] += ra
        cell[1] += dec
        cell[2] += n
        if n > cell[4]:
            cell[3:] = top_class, n
    return [[round(ra / n, 3), round(dec / n, 3), n, top] for ra, dec, n, top, _ in cells.values()]


def names_of(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the surveys, bundles and classes that occur."""
    rows = connection.execute("SELECT DISTINCT top_class, survey, bundle FROM objects").fetchall()
    classes, surveys, bundles = (sorted({row[i] for row in rows}) for i in range(3))
    return {"classes": classes, "surveys": surveys, "bundles": bundles}


def _n_objects(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM objects").fetchone()[0])


def _as_json(rows: Iterable[Any]) -> list[dict[str, Any]]:
    listed = []
    for row in rows:
        listing = dict(zip(_NAMES, row, strict=True))
        listing["spark"] = base64.b64encode(listing["spark"]).decode()
        listing["runs"] = orjson.Fragment(listing["runs"])
        listed.append(listing)
    return listed
