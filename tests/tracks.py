"""A `Track` that shows nothing and counts."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Counts(dict[str, int]):
    """How many were handed on, by what they are."""

    def __call__(self, things: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        for thing in things:
            self[what] = self.get(what, 0) + 1
            yield thing
