"""What the outbox holds, as values."""

import sqlite3
from dataclasses import dataclass

import orjson

from broker_classifier.lasair.annotation.history import History, Verdict
from broker_classifier.lasair.annotation.write_annotation import Annotation
from broker_classifier.lasair.rules import Said


@dataclass(frozen=True)
class Item:
    """One annotation that waits.

    Attributes
    ----------
    number : int
        Grows with every annotation that is queued, so that a newer one of its object is known.
    object_id : str
    annotation : dict
    said : Said
        What Lasair knows of the object once it has the annotation.
    bits : float
        Its place in the queue.
    queued_at, since : float
        Unix time (s): when it was queued, and when its object began to wait.
    n_failures : int
        How often Lasair failed over it alone.
    """

    number: int
    object_id: str
    annotation: Annotation
    said: Said
    bits: float
    queued_at: float
    since: float = 0.0
    n_failures: int = 0


@dataclass(frozen=True)
class Record:
    """What is remembered of an object.

    Attributes
    ----------
    history : History or None
    told : Said or None
        What Lasair last heard of it, or refused to.
    is_waiting : bool
        Whether an annotation of it waits.
    """

    history: History | None = None
    told: Said | None = None
    is_waiting: bool = False


@dataclass(frozen=True)
class Depth:
    """How much waits for one Lasair: annotations, the oldest one's age in s, and dead letters."""

    n_waiting: int = 0
    age_s: float = 0.0
    n_dead_letters: int = 0


def history_of(text: str) -> History:
    """Read a history as it stands in the file."""
    values = orjson.loads(text)
    verdicts = {
        name: Verdict(**values[name]) for name in ("first", "now", "previous") if values[name]
    }
    return History(**values | verdicts | {"order": tuple(values["order"])})


def item_of(row: sqlite3.Row) -> Item:
    """Read a row of what waits."""
    return Item(
        row["number"],
        row["object_id"],
        orjson.loads(row["annotation"]),
        Said(**orjson.loads(row["said"])),
        row["bits"],
        row["queued_at"],
        row["since"],
        row["n_failures"],
    )
