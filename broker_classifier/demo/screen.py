"""The demo in a terminal: objects, their class probabilities as they evolve, and the accounting."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from broker_classifier.demo.ledger import Ledger, accounting_line, declined_line
from broker_classifier.demo.play import Playing
from broker_classifier.model.class_colours import class_colour
from broker_classifier.streams.classification import ClassificationMessage

SPARKS = "▁▂▃▄▅▆▇█"
_LONGEST_BAR, _LONGEST_SPARK = 36, 30
_SHARE_OF_SPARK = 0.4
_COLUMNS_BESIDE_DRAWINGS = 60
_FRAME_S = 0.12
_PROGRESS_S = 5.0

Evolution = Sequence[ClassificationMessage]


class LiveView:
    """A screen that redraws itself; objects keep their row until a newer one needs it."""

    def __init__(self, console: Console, live: Live, title: str) -> None:
        self._console = console
        self._live = live
        self._title = title
        self._rows: list[str] = []
        self._drawn = 0.0

    def show(self, playing: Playing) -> None:
        """Redraw, at most eight times a second."""
        if time.monotonic() - self._drawn < _FRAME_S and not playing.is_over:
            return
        evolution = playing.ledger.evolution()
        without_rows = screen(self._title, playing, evolution, [], self._console.width)
        n_rows = self._console.height - 1 - n_lines(without_rows, self._console)
        self._rows = rows_to_show(self._rows, evolution, max(1, n_rows))
        frame = screen(self._title, playing, evolution, self._rows, self._console.width)
        self._live.update(frame, refresh=True)
        self._drawn = time.monotonic()


class PlainView:
    """A line every five seconds, where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_line = 0.0
        self._has_first = self._has_page = False

    def show(self, playing: Playing) -> None:
        """Write the first probability when it comes, and then progress."""
        if not self._has_first and playing.ledger.answers:
            self._has_first = True
            first = next(iter(playing.ledger.answers.values()))
            self._console.print(
                f"first probability after {playing.first_answer_s:.1f} s: "
                f"{first.object_id} {first.top_class} {first.probability:.2f}"
            )
        if not self._has_page and (address := playing.page()):
            self._has_page = True
            self._console.print(f"see it live: {address}")
        if time.monotonic() > self._next_line:
            self._next_line = time.monotonic() + _PROGRESS_S
            ledger, n_alerts = playing.ledger, len(playing.alerts)
            self._console.print(
                f"sent {len(ledger.sent)}/{n_alerts}  {accounting_line(ledger.totals)}"
                if ledger.totals
                else "the service is starting ..."
            )


def n_lines(frame: RenderableType, console: Console) -> int:
    """Count the lines that a frame takes."""
    return len(console.render_lines(frame))


def rows_to_show(rows: Sequence[str], evolution: Mapping[str, Evolution], n_rows: int) -> list[str]:
    """Choose which objects stand in which row.

    New objects take a free row, else that of the object whose last answer is the oldest.

    >>> rows_to_show(["a", "b"], {}, 3)
    ['a', 'b']
    """
    shown = list(rows)[:n_rows]
    for name in evolution:
        if name in shown:
            continue
        if len(shown) < n_rows:
            shown.append(name)
            continue
        oldest = min(shown, key=lambda object_id: evolution[object_id][-1].mjd)
        if evolution[oldest][-1].mjd < evolution[name][-1].mjd:
            shown[shown.index(oldest)] = name
    return shown


def screen(
    title: str,
    playing: Playing,
    evolution: Mapping[str, Evolution],
    rows: Sequence[str],
    width: int,
) -> RenderableType:
    """Lay out one frame, `width` characters wide."""
    truth = {a.object_id: a.label for a in playing.ledger.sent if a.label is not None}
    classes = next((list(a.probabilities) for a in playing.ledger.answers.values()), [])
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("object", *(["truth"] if truth else []), "alerts", "classes"):
        table.add_column(heading, justify="right" if heading == "alerts" else "left", no_wrap=True)
    table.add_column("most probable", no_wrap=True)
    table.add_column("P(truth)" if truth else "its P", no_wrap=True)
    for name in rows:
        table.add_row(*_row(evolution[name], truth.get(name), bool(truth), width))
    body = table if evolution else Text("\n  " + _waiting(playing), style="dim")
    parts = [_numbers(playing), Text(), body, Text(), _legend(classes), _accounting(playing.ledger)]
    if address := playing.page():
        parts.append(Text(f"see it live: {address}", style="bold"))
    return Panel(Group(*parts), title=f"[bold]{title}", border_style="dim", padding=(0, 1))


def bar(probabilities: Mapping[str, float], length: int) -> Text:
    """Draw probabilities as one bar of coloured stretches, `length` characters in all.

    >>> bar({"SNIa": 0.7, "SNII": 0.3}, 10).plain
    '██████████'
    """
    text, total, drawn = Text(), 0.0, 0
    for name, probability in probabilities.items():
        total += probability
        n = round(total * length) - drawn
        text.append("█" * n, style=class_colour(name))
        drawn += n
    return text


def sparkline(values: Sequence[float], length: int) -> str:
    """Draw numbers between 0 and 1 as a row of blocks; of too many, an even choice.

    >>> sparkline([0.0, 0.5, 1.0], 10)
    '▁▅█'
    >>> sparkline([0.0, 0.0, 0.5, 0.5, 1.0], 3)
    '▁▅█'
    """
    chosen = np.linspace(0, len(values) - 1, min(len(values), length)).round().astype(int)
    return "".join(SPARKS[min(7, int(values[i] * 8))] for i in chosen)


def _row(
    answers: Evolution, label: str | None, has_truth: bool, width: int
) -> list[RenderableType]:
    newest = answers[-1]
    followed = label or newest.top_class
    top = Text(f"{newest.top_class:<10}{newest.probability:4.2f}", class_colour(newest.top_class))
    if label:
        is_right = newest.top_class == label
        top.append(" ✓" if is_right else " ✗", "bold green" if is_right else "bold red")
    history = [answer.probabilities.get(followed, 0.0) for answer in answers]
    truth = [Text(label or "", class_colour(label or ""))] if has_truth else []
    room = max(12, width - _COLUMNS_BESIDE_DRAWINGS)
    spark_length = min(_LONGEST_SPARK, int(room * _SHARE_OF_SPARK))
    spark = Text(sparkline(history, spark_length), class_colour(followed))
    drawn = bar(newest.probabilities, min(_LONGEST_BAR, room - spark_length))
    return [Text(newest.object_id, "bold"), *truth, str(len(answers)), drawn, top, spark]


def _numbers(playing: Playing) -> Text:
    ledger = playing.ledger
    mjd = max((a.mjd for a in ledger.sent), default=0.0)
    first = min((a.mjd for a in playing.alerts), default=0.0)
    running_s = time.monotonic() - playing.started - (playing.first_answer_s or 0.0)
    rate = len(ledger.answers) / running_s if playing.first_answer_s and running_s > 0 else 0.0
    figures = {
        "night": f"{max(0, int(mjd) - int(first)) + 1}",
        "alerts": f"{len(ledger.sent)}/{len(playing.alerts)}",
        "answers/s": f"{rate:.0f}",
        "median latency": f"{ledger.latency_s(50) * 1000:.0f} ms" if ledger.answers else "-",
        "99 %": f"{ledger.latency_s(99) * 1000:.0f} ms" if ledger.answers else "-",
    }
    text = Text()
    for name, figure in figures.items():
        text.append(f"{name} ", "dim").append(f"{figure}  ", "bold")
    return text


def _legend(classes: Sequence[str]) -> Text:
    text = Text()
    for name in classes:
        text.append("█", class_colour(name)).append(f"{name}  ", "dim")
    return text


def _accounting(ledger: Ledger) -> Text:
    if not ledger.totals:
        return Text()
    text = Text(accounting_line(ledger.totals))
    text.append(f"   in flight {max(0, ledger.n_in_flight)}", "dim")
    if ledger.declined:
        text.append(f"\n{declined_line(ledger.declined)}", "dim")
    return text


def _waiting(playing: Playing) -> str:
    seconds = time.monotonic() - playing.started
    return f"Kafka runs; the service loads its model ... {seconds:.0f} s"
