"""Put a batch of answers into the index, in one transaction with the offsets after them."""

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import orjson

from broker_classifier.web.index.point_views import (
    PointView,
    merge_points,
    pack_view,
    reason_codes,
)
from broker_classifier.web.index.published import POINTS, Published
from broker_classifier.web.index.summary import store_summary

Place = tuple[str, int]  # of a topic and its partition


def store_answers(
    connection: sqlite3.Connection,
    answers: Sequence[Published],
    offsets: Mapping[Place, int] | None = None,
) -> int:
    """Store answers in their order of arrival; return the number of the newest.

    Parameters
    ----------
    offsets : mapping of (topic, partition) to int, optional
        The next message to read after these answers.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        before = newest_seq(connection)
        by_object: dict[tuple[str, str, str], list[tuple[int, Published]]] = {}
        for seq, new in enumerate(answers, start=before + 1):
            name = new.answer.object_id, new.answer.survey, new.answer.model.name
            by_object.setdefault(name, []).append((seq, new))
        for name, arrivals in by_object.items():
            _store_object(connection, name, arrivals)
        _set_fact(connection, "seq", before + len(answers))
        _store_offsets(connection, offsets or {})
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return before + len(answers)


def newest_seq(connection: sqlite3.Connection) -> int:
    """Return the number of the newest answer; 0 before the first."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'seq'").fetchone()
    return int(row[0]) if row else 0


def stored_offsets(connection: sqlite3.Connection, topic: str) -> dict[int, int]:
    """Return where reading goes on, by partition."""
    rows = connection.execute("SELECT partition, next FROM offsets WHERE topic = ?", (topic,))
    return dict(rows.fetchall())


def _store_offsets(connection: sqlite3.Connection, offsets: Mapping[Place, int]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
        [(topic, partition, after) for (topic, partition), after in offsets.items()],
    )


def _set_fact(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def _store_object(
    connection: sqlite3.Connection,
    name: tuple[str, str, str],
    arrivals: Iterable[tuple[int, Published]],
) -> None:
    row = connection.execute(
        "SELECT objects.key, points, reasons FROM objects JOIN curves USING (key)"
        " WHERE object_id = ? AND survey = ? AND bundle = ?",
        name,
    ).fetchone()
    key, points_blob, reasons_json = row or (None, b"", b'[""]')
    points, reasons = np.frombuffer(points_blob, POINTS), orjson.loads(reasons_json)
    if key is None:
        # A row that `store_summary` fills as soon as the answers are there.
        key = connection.execute("SELECT coalesce(max(key), 0) + 1 FROM objects").fetchone()[0]
    seq, newest = 0, None
    for seq, newest in arrivals:
        points, index = merge_points(points, newest.points)
        view = PointView(index, reason_codes(newest.rejected, reasons), newest.attention)
        _store_answer(connection, key, seq, newest, pack_view(view))
    connection.execute(
        "INSERT OR REPLACE INTO curves VALUES (?, ?, ?)",
        (key, points.tobytes(), orjson.dumps(reasons).decode()),
    )
    store_summary(connection, key, name, points, seq, time.time())


def _store_answer(
    connection: sqlite3.Connection, key: int, seq: int, new: Published, view: bytes
) -> None:
    """Store an answer, in its place among the messages of its id.

    The highest `curve_version` stands; where a message has none, the order of arrival decides. The
    same message coming again takes the place of its first copy.
    """
    answer, version = new.answer, new.answer.curve_version
    stands = True
    for old_seq, old_version, old_stands, *outcome in connection.execute(
        "SELECT seq, curve_version, stands, top_class, probability FROM answers"
        " WHERE key = ? AND id = ?",
        (key, answer.id),
    ).fetchall():
        are_dated = version is not None and old_version is not None
        is_same = old_stands and outcome == [answer.top_class, answer.probability]
        stands &= not are_dated or version >= old_version
        if version == old_version if are_dated else is_same:
            connection.execute("DELETE FROM answers WHERE key = ? AND seq = ?", (key, old_seq))
        elif stands and old_stands:
            connection.execute(
                "UPDATE answers SET stands = 0 WHERE key = ? AND seq = ?", (key, old_seq)
            )
    connection.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            seq,
            answer.id,
            answer.mjd,
            answer.top_class,
            answer.probability,
            version,
            stands,
            new.packed,
            view,
        ),
    )
