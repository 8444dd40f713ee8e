"""What a terminal shows of long work, on stderr: bars, counts and clocks. In a pipe, nothing."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from operator import length_hint
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from broker_classifier.progress import Track, untracked

T = TypeVar("T")


@contextmanager
def progress_bars(what: str) -> Iterator[Track]:
    """Show that the program works and for how long, and a bar for all that is tracked meanwhile.

    What is printed meanwhile stands above the bars. At the end they are gone.

    Parameters
    ----------
    what : str
        What the program does: "classifying".
    """
    if not sys.stderr.isatty():
        yield untracked
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), _Count(), _Clock()
    # Where stdout is a file, what is printed goes there and not above the bars.
    to_terminal = sys.stdout.isatty()
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=to_terminal
    ) as progress:
        progress.add_task(what, total=None)

        def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
            task = progress.add_task(what, total=total or length_hint(items) or None)
            try:
                for item in items:
                    yield item
                    progress.advance(task)
            finally:
                progress.remove_task(task)

        yield track


class WaitingLine:
    """On a terminal, a line that says how much has come, as long as more is waited for.

    Parameters
    ----------
    what : str
        What is waited for: "classifications".
    """

    def __init__(self, what: str) -> None:
        self._what, self._n = what, 0
        self._status = Console(stderr=True).status("") if sys.stderr.isatty() else None

    def show(self) -> None:
        """Show the line, until something comes."""
        if self._status:
            self._status.update(f"{self._n} {self._what}, waiting for more")
            self._status.start()

    def hidden_for_each(self, items: Iterable[T]) -> Iterator[T]:
        """Hand on items, each with the line hidden."""
        try:
            for item in items:
                self._hide()
                self._n += 1
                yield item
        finally:
            self._hide()

    def _hide(self) -> None:
        if self._status:
            self._status.stop()


class _Count(ProgressColumn):
    """Draws how many there were so far, and of how many if that is known."""

    def render(self, task: Task) -> Text:
        if task.total is not None:
            return Text(f"{task.completed:,.0f} of {task.total:,.0f}")
        return Text(f"{task.completed:,.0f}" if task.completed else "")


class _Clock(ProgressColumn):
    """Draws how long it will take if that can be told, else how long it has taken."""

    def render(self, task: Task) -> Text:
        if task.time_remaining is not None:
            return Text(f"{timedelta(seconds=int(task.time_remaining))} left")
        return Text(str(timedelta(seconds=int(task.elapsed or 0))))
