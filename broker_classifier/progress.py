"""How long work tells how far it is; what shows it is passed in, and stands in `cli/`."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Hands items on one after another, and shows how many it has handed on."""

    def __call__(self, items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        """Hand on items.

        Parameters
        ----------
        items : iterable
        what : str
            What they are, in the plural: "alerts".
        total : int, optional
            How many there are, where `len(items)` does not tell.
        """


def untracked(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Hand on items and show nothing.

    >>> list(untracked("ab", "letters"))
    ['a', 'b']
    """
    yield from items
