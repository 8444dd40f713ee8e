"""A `Track` that shows nothing and counts."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Counts(dict[str, int]):
    """How many were handed on, by what they are."""

    def __call__(self, items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        for item in items:
            self[what] = self.get(what, 0) + 1
            yield item
