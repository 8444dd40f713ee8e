"""The moments at which a classifier is judged: after so many detections, days, or fractions."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import Kind, LightCurve

DETECTIONS = (1, 2, 3, 5, 10, 20)
DAYS = (0, 2, 5, 10, 20, 30, 50)
FRACTIONS = (0.25, 0.5, 1.0)
NIGHT_DAYS = 0.5  # a day count includes the rest of its night


class Cut(NamedTuple):
    """A family of cuts and a value in it, as they stand in `metrics.json`."""

    family: str
    value: str

    @property
    def key(self) -> str:
        """Its name where one word has to do, as in `by_source` and the gates of `metrics.json`.

        >>> Cut("by_detections", "3").key, FULL.key
        ('by_detections_3', 'full')
        """
        return f"{self.family}_{self.value}" if self.value else self.family

    @property
    def title(self) -> str:
        """Its name in tables and plots: what is known of a light curve at this cut.

        >>> after_detections(1).title, after_days(10).title, Cut("by_fraction", "0.25").title
        ('1 detection', 'day 10', '25 % of the time span')
        """
        if self.family == "by_detections":
            return f"{self.value} detection" + ("" if self.value == "1" else "s")
        if self.family == "by_days":
            return f"day {self.value}"
        if self.family == "by_fraction":
            return f"{100 * float(self.value):.0f} % of the time span"
        return "whole light curve"


FULL = Cut("full", "")


def after_detections(n: int) -> Cut:
    """Give the cut at the n-th detection."""
    return Cut("by_detections", str(n))


def after_days(days: int) -> Cut:
    """Give the cut so many days after the first detection."""
    return Cut("by_days", str(days))


MAIN_CUTS = (after_detections(3), after_detections(10), FULL)
"""Where sources and gates are judged, and curves of single classes drawn."""


def all_cuts() -> list[Cut]:
    """List the cuts in the order of `metrics.json`."""
    fractions = [Cut("by_fraction", str(fraction)) for fraction in FRACTIONS]
    return [*map(after_detections, DETECTIONS), *map(after_days, DAYS), *fractions, FULL]


def cut_of(key: str) -> Cut:
    """Find a cut by its key.

    >>> cut_of("by_detections_3").title
    '3 detections'
    """
    return next(cut for cut in all_cuts() if cut.key == key)


def figures_by_cut(metrics: Mapping[str, Any]) -> dict[Cut, Mapping[str, Any]]:
    """Read the figures of every cut that has some from the content of `metrics.json`."""
    figures = {cut: metrics[cut.family].get(cut.value) for cut in all_cuts() if cut != FULL}
    return {cut: at_cut for cut, at_cut in figures.items() if at_cut} | {FULL: metrics[FULL.family]}


def cut_positions(curve: LightCurve) -> Iterator[tuple[Cut, int]]:
    """Give, for each cut that a light curve of used points reaches, its last known point.

    "by_detections" n: the n-th detection; not reached by light curves with fewer. "by_days" d: the
    last point within d + 0.5 days of the first detection; not reached without one. "by_fraction" f:
    the last one within the fraction f of the time from first to last. "full": the last one.
    """
    detected = np.flatnonzero(curve.kind == Kind.DETECTION)
    age = curve.mjd - curve.mjd[0]
    for cut in all_cuts():
        if cut.family == "by_detections":
            if len(detected) >= int(cut.value):
                yield cut, int(detected[int(cut.value) - 1])
        elif cut == FULL:
            yield cut, len(curve) - 1
        elif cut.family == "by_fraction":
            yield cut, _last_until(age, float(cut.value) * age[-1] + 1e-9)
        elif len(detected):
            yield cut, _last_until(age, age[detected[0]] + float(cut.value) + NIGHT_DAYS)


def asked_mjd(cut: Cut, curve: LightCurve, position: int) -> float:
    """Tell when an answer at a cut is asked for: "by_days" at the end of that night.

    Elsewhere it is at the last known point.
    """
    last = float(curve.mjd[position])
    if cut.family != "by_days":
        return last
    return max(last, float(curve.mjd[n_before_detection(curve)] + float(cut.value) + NIGHT_DAYS))


def n_before_detection(curve: LightCurve) -> int:
    """Count the points before the first detection; all of them if there is none."""
    is_detection = curve.kind == Kind.DETECTION
    return int(is_detection.argmax()) if is_detection.any() else len(curve)


def _last_until(age: NDArray[np.float64], limit: float) -> int:
    return int(np.searchsorted(age, limit, side="right")) - 1
