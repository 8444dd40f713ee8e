"""Figures as a card shows them: rounded, with their intervals, in tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def with_interval(figures: Mapping[str, Any], name: str, digits: int = 2) -> str:
    """Write a figure with its 95 % interval in brackets.

    >>> with_interval({"ece": 0.0312, "ece_95": [0.02, 0.05]}, "ece", digits=3)
    '0.031 (0.020 to 0.050)'
    """
    value = number(figures[name], digits)
    within = span(figures[f"{name}_95"], digits)
    return value if within == "-" else f"{value} ({within})"


def span(interval: Sequence[float | None], digits: int = 2) -> str:
    """Write an interval; "-" where there is none."""
    low, high = interval
    if low is None or high is None:
        return "-"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def number(value: float | None, digits: int = 2) -> str:
    """Write a figure; "-" where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
