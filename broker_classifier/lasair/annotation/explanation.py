"""The sentence of an annotation, as an astronomer would write it beside the class."""

from datetime import datetime, timedelta

from broker_classifier.lasair.annotation.answer import bits_of, is_classified
from broker_classifier.lasair.annotation.history import History, Verdict
from broker_classifier.lasair.annotation.points import Points
from broker_classifier.streams.classification import ClassificationMessage

MJD_ZERO = datetime(1858, 11, 17)  # noqa: DTZ001 - a date of the calendar, no moment to convert


def explanation(answer: ClassificationMessage, history: History, points: Points) -> str:
    """Say what the object is taken for, on what grounds, and what has changed."""
    if not is_classified(answer):
        return (
            f"The answer before, {history.now.top_class}, is taken back: no point is left for it."
        )
    return f"{_claim(answer)} {_grounds(points)}. {_change(history)}"


def _claim(answer: ClassificationMessage) -> str:
    bits = "" if bits_of(answer) is None else f", {bits_of(answer):.2f} bits"
    return f"{answer.top_class} (p = {answer.probability:.2f}{bits})"


def _grounds(points: Points) -> str:
    noun = "point" if points.n == 1 else "points"
    bands = f" in {_listed(points.bands)}" if points.bands else ""
    return f"from {points.n} {noun}{bands}{_since(points.days)}"


def _since(days: float | None) -> str:
    if days is None:
        return ""
    return f", {days:.1f} days after the first detection" if days >= 0.05 else ", just detected"


def _change(history: History) -> str:
    before = history.previous
    if before is None:
        return f"{history.first.top_class} since the first answer, of {_date(history.first.mjd)}."
    return f"It was {_said(before)} before {_date(history.since_mjd)}{_first(history)}."


def _first(history: History) -> str:
    if history.n_changes < 2:
        return ""
    return f", and {_said(history.first)} at first; the class has changed {history.n_changes} times"


def _said(verdict: Verdict) -> str:
    return f"{verdict.top_class} (p = {verdict.probability:.2f})"


def _listed(bands: str) -> str:
    return " and ".join(part for part in (", ".join(bands[:-1]), bands[-1]) if part)


def _date(mjd: float) -> str:
    return (MJD_ZERO + timedelta(days=mjd)).strftime("%Y-%m-%d")
