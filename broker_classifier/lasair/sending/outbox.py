"""What is still to be said to Lasair, and what was: one SQLite file that survives a crash.

Answers, their history and how far the topic was read change in one transaction. An annotation
leaves the outbox when Lasair has it; it is replaced while it waits when the object has a newer one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.lasair.annotation.history import History
from broker_classifier.lasair.annotation.write_annotation import Annotation
from broker_classifier.lasair.rules import Said
from broker_classifier.lasair.sending.outbox_rows import Depth, Item, Record, history_of, item_of

TABLES = "outbox.sql"
BUSY_S = 30.0
HOUR_S = LONGEST_PUT_OFF_S = 3600.0
CLOCK_TOLERANCE_S = 60.0

RECORD = """SELECT
    (SELECT history FROM objects WHERE survey = ? AND object_id = ?) AS history,
    (SELECT said FROM sent WHERE survey = ? AND object_id = ?) AS told,
    (SELECT said FROM dead_letters WHERE survey = ? AND object_id = ?) AS refused,
    EXISTS (SELECT 1 FROM outbox WHERE survey = ? AND object_id = ?) AS waiting"""
QUEUE = """REPLACE INTO outbox
    (survey, object_id, annotation, said, bits, queued_at, since) VALUES (?, ?, ?, ?, ?, ?, ?)"""
# A clock may have been set back: what is put off for longer than anything ever is, is due.
DUE = """SELECT * FROM outbox WHERE survey = ? AND (not_before <= ? OR not_before > ?)
    ORDER BY bits DESC, since LIMIT ?"""
DEPTH = """SELECT count(*) AS n, min(since) AS since,
    (SELECT count(*) FROM dead_letters WHERE survey = ?) AS dead FROM outbox WHERE survey = ?"""
TAKE_UP = "UPDATE outbox SET not_before = 0, n_failures = 0 WHERE survey = ? AND object_id = ?"
# A clock may have been set back: calls of the future do not count for ever.
CALLS = "SELECT at FROM calls WHERE survey = ? AND at > ? AND at <= ? ORDER BY at"
FORGET_DEAD_LETTER = "DELETE FROM dead_letters WHERE survey = ? AND object_id = ?"
FORGET_OBJECTS = """DELETE FROM objects WHERE heard_at < ? AND NOT EXISTS (SELECT 1 FROM outbox
    WHERE outbox.survey = objects.survey AND outbox.object_id = objects.object_id)"""
SEND_AGAIN = """INSERT OR IGNORE INTO outbox
    (survey, object_id, annotation, said, bits, queued_at, since)
    SELECT survey, object_id, annotation, said, coalesce(json_extract(said, '$.bits'), 0), ?, ?
    FROM {} WHERE survey = ? AND object_id = ?"""


@dataclass
class Outbox:
    """The file, opened; every thread opens it for itself.

    Raises
    ------
    StoreUnavailableError
        From every method, if the file cannot be read or written now.
    """

    path: Path
    _database: sqlite3.Connection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with _named(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            self._database.row_factory = sqlite3.Row
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            tables = resources.files("broker_classifier.lasair.sending") / TABLES
            self._database.executescript(tables.read_text())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that the block does, or nothing of it."""
        with _named(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._database.in_transaction:  # SQLite has ended it where the disk is full
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def offsets(self, cluster: str, topic: str) -> dict[int, int]:
        """Return where reading goes on, by partition."""
        rows = self._rows("SELECT * FROM offsets WHERE cluster = ? AND topic = ?", cluster, topic)
        return {row["partition"]: row["next"] for row in rows}

    def keep_offsets(self, cluster: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Note where reading goes on."""
        rows = [(cluster, topic, *place) for place in offsets.items()]
        with _named(self.path):
            self._database.executemany("REPLACE INTO offsets VALUES (?, ?, ?, ?)", rows)

    def record(self, survey: str, object_id: str) -> Record:
        """Return what is remembered of an object."""
        [row] = self._rows(RECORD, *[survey, object_id] * 4)
        told = row["refused"] or row["told"]
        return Record(
            history_of(row["history"]) if row["history"] else None,
            Said(**orjson.loads(told)) if told else None,
            bool(row["waiting"]),
        )

    def keep_history(self, survey: str, object_id: str, history: History, now: float) -> None:
        """Remember an object's history."""
        self._run(
            "REPLACE INTO objects VALUES (?, ?, ?, ?)",
            *(survey, object_id, _text(history), now),
        )

    def queue(self, survey: str, item: Item) -> None:
        """Let an annotation wait, in place of an earlier one; `number` and `since` are given."""
        where = survey, item.object_id
        before = self._rows("SELECT since FROM outbox WHERE survey = ? AND object_id = ?", *where)
        since = before[0]["since"] if before else item.queued_at
        texts = _text(item.annotation), _text(item.said)
        values = (*where, *texts, item.bits, item.queued_at, since)
        self._run(QUEUE, *values)

    def due(self, survey: str, now: float, most: int) -> list[Item]:
        """Return what may be sent now, the most informative first."""
        return [item_of(row) for row in self._rows(DUE, survey, now, now + LONGEST_PUT_OFF_S, most)]

    def items(self, survey: str, object_ids: Sequence[str]) -> list[Item]:
        """Return what waits of these objects now."""
        text = "SELECT * FROM outbox WHERE survey = ? AND object_id = ?"
        return [item_of(row) for name in object_ids for row in self._rows(text, survey, name)]

    def accepted(self, survey: str, items: Iterable[Item], now: float) -> None:
        """Note that Lasair has these; a newer one of an object goes on waiting."""
        with self.transaction():
            for item in items:
                texts = _text(item.annotation), _text(item.said)
                values = (survey, item.object_id, *texts, now)
                self._run("REPLACE INTO sent VALUES (?, ?, ?, ?, ?)", *values)
                self._run(FORGET_DEAD_LETTER, survey, item.object_id)
                self._run("DELETE FROM outbox WHERE number = ?", item.number)

    def refused(self, survey: str, item: Item, words: str, now: float) -> None:
        """Move an annotation to the dead letters, with Lasair's words."""
        texts = _text(item.annotation), _text(item.said)
        with self.transaction():
            values = (survey, item.object_id, *texts, words, now)
            self._run("REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)", *values)
            self._run("DELETE FROM outbox WHERE number = ?", item.number)

    def put_off(self, item: Item, until: float) -> None:
        """Leave an annotation alone until a time, as Lasair fails over it."""
        self._run(
            "UPDATE outbox SET not_before = ?, n_failures = n_failures + 1 WHERE number = ?",
            *(until, item.number),
        )

    def take_up(self, survey: str, object_ids: Iterable[str]) -> None:
        """Let annotations that were put off be sent again."""
        for object_id in object_ids:
            self._run(TAKE_UP, survey, object_id)

    def note_call(self, survey: str, now: float) -> None:
        """Count a call, before it is made."""
        self._run("INSERT INTO calls VALUES (?, ?)", survey, now)
        self._run("DELETE FROM calls WHERE at <= ?", now - HOUR_S)

    def calls(self, survey: str, now: float) -> list[float]:
        """Return when calls were made in the hour before now, the first one first."""
        rows = self._rows(CALLS, survey, now - HOUR_S, now + CLOCK_TOLERANCE_S)
        return [row["at"] for row in rows]

    def depth(self, survey: str, now: float) -> Depth:
        """Tell how much waits."""
        [row] = self._rows(DEPTH, survey, survey)
        return Depth(row["n"], max(0.0, now - row["since"]) if row["n"] else 0.0, row["dead"])

    def sent(self, survey: str) -> dict[str, Annotation]:
        """Return what Lasair should have of every object."""
        rows = self._rows("SELECT * FROM sent WHERE survey = ?", survey)
        return {row["object_id"]: orjson.loads(row["annotation"]) for row in rows}

    def dead_letters(self, survey: str) -> list[tuple[Annotation, str, float]]:
        """Return what Lasair refused, its words, and when (Unix time, s)."""
        rows = self._rows("SELECT * FROM dead_letters WHERE survey = ? ORDER BY at", survey)
        return [(orjson.loads(row["annotation"]), row["words"], row["at"]) for row in rows]

    def send_again(self, survey: str, object_ids: Sequence[str], now: float) -> int:
        """Queue what was sent, or refused, of these objects, where nothing newer waits."""
        with self.transaction():
            return sum(
                self._run(SEND_AGAIN.format(table), now, now, survey, object_id)
                for object_id in object_ids
                for table in ("dead_letters", "sent")
            )

    def forget(self, before: float) -> None:
        """Forget objects that were last heard of before a time, where nothing of them waits."""
        self._run(FORGET_OBJECTS, before)

    def _rows(self, text: str, *values: Any) -> list[sqlite3.Row]:
        with _named(self.path):
            return self._database.execute(text, values).fetchall()

    def _run(self, text: str, *values: Any) -> int:
        with _named(self.path):
            return self._database.execute(text, values).rowcount


def _text(value: Annotation | History | Said) -> str:
    return orjson.dumps(value).decode()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        msg = f"the outbox {path} cannot be read or written: {error}"
        raise StoreUnavailableError(msg) from error
