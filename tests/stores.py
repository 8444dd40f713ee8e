"""Stores as tests look into them."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from broker_classifier.store import ObjectRecord, StoreBeside


def read_beside(folder: Path, object_ids: Sequence[str]) -> list[ObjectRecord]:
    """Read records from a store in a folder that another process may have open."""
    with closing(StoreBeside(folder)) as store:
        return store.read(object_ids)
