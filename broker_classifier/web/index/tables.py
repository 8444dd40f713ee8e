"""The tables of the index, and how its file is opened; a file of another form is made anew."""

import sqlite3
from pathlib import Path

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.logs import get_logger

FORM = 1
"""Raised with every change of the tables: an index of another form is rebuilt from the topic."""

TABLES = """
CREATE TABLE objects (          -- one row an object and bundle; narrow, since filters scan it
    key INTEGER PRIMARY KEY,
    survey TEXT NOT NULL, object_id TEXT NOT NULL, bundle TEXT NOT NULL, version TEXT NOT NULL,
    top_class TEXT NOT NULL, probability REAL NOT NULL, bits REAL,
    n_points INTEGER NOT NULL, n_answers INTEGER NOT NULL, n_changes INTEGER NOT NULL,
    bands TEXT NOT NULL,        -- of the points used: "gr"
    first_mjd REAL NOT NULL, last_mjd REAL NOT NULL,
    ra REAL, dec REAL, x REAL, y REAL, z REAL, cell INTEGER,
    seen REAL NOT NULL,         -- Unix time at which its newest message was read
    seq INTEGER NOT NULL        -- number of its newest message
);
CREATE UNIQUE INDEX objects_name ON objects (object_id, survey, bundle);
CREATE INDEX objects_seq ON objects (seq);
CREATE INDEX objects_probability ON objects (probability);
CREATE INDEX objects_bits ON objects (bits);
CREATE INDEX objects_points ON objects (n_points);
CREATE INDEX objects_dec ON objects (dec);
CREATE INDEX objects_mjd ON objects (last_mjd);
CREATE INDEX objects_class ON objects (top_class, survey, bundle);
CREATE INDEX objects_cell ON objects (cell, top_class, ra, dec);
CREATE TABLE drawings (         -- what a row of the list shows: a sparkline, runs of classes
    key INTEGER PRIMARY KEY, spark BLOB NOT NULL, runs TEXT NOT NULL
);
CREATE TABLE curves (           -- every point that any answer saw; why points were rejected
    key INTEGER PRIMARY KEY, points BLOB NOT NULL, reasons TEXT NOT NULL
);
CREATE TABLE answers (
    key INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
    mjd REAL NOT NULL, top_class TEXT NOT NULL, probability REAL NOT NULL,
    curve_version INTEGER,
    stands INTEGER NOT NULL,    -- 0 once another message of its id has taken its place
    message BLOB NOT NULL, view BLOB NOT NULL,
    PRIMARY KEY (key, seq)
) WITHOUT ROWID;
CREATE TABLE offsets (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition));
CREATE TABLE facts (name TEXT PRIMARY KEY, value);
"""

log = get_logger()


def open_index(path: Path | str) -> sqlite3.Connection:
    """Open the index for writing; ":memory:" lasts as long as the connection.

    A file that is damaged, or of another form, is put away and an empty one begun.

    Raises
    ------
    StoreUnavailableError
        If no file can be made there.
    """
    try:
        try:
            return _opened(path)
        except sqlite3.DatabaseError as error:
            if path == ":memory:" or isinstance(error, sqlite3.OperationalError):
                raise
            log.warning("the index is damaged and is built anew", path=str(path), reason=str(error))
            remove_index(Path(path))
            return _opened(path)
    except sqlite3.Error as error:
        msg = f"the index {path} cannot be opened: {error}; set web.index to another file"
        raise StoreUnavailableError(msg) from error


def open_for_reading(path: Path | str) -> sqlite3.Connection:
    """Open the index beside its writer; may be used from several threads, one at a time."""
    name = Path(path).resolve().as_uri()
    connection = sqlite3.connect(f"{name}?mode=ro", uri=True, check_same_thread=False)
    connection.execute("PRAGMA mmap_size = 1073741824")
    return connection


def empty_index(connection: sqlite3.Connection) -> None:
    """Forget everything, while others read."""
    connection.execute("BEGIN IMMEDIATE")
    for table in ("objects", "drawings", "curves", "answers", "offsets", "facts"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("COMMIT")


def remove_index(path: Path) -> None:
    """Delete the file of an index, and the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _opened(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # what a crash takes, the topic has
        [form] = connection.execute("PRAGMA user_version").fetchone()
        if form == FORM:
            return connection
        [n_tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if n_tables:
            msg = f"its form is {form}, not {FORM}"
            raise sqlite3.DatabaseError(msg)
        connection.executescript(f"{TABLES} PRAGMA user_version = {FORM};")
        return connection
    except sqlite3.DatabaseError:
        connection.close()
        raise
