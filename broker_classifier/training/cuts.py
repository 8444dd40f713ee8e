"""The moments at which a classifier is judged: after so many detections, days, or fractions."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from broker_classifier.light_curve import LightCurve

DETECTIONS = (1, 2, 3, 5, 10, 20)
DAYS = (0, 2, 5, 10, 20, 30, 50)
FRACTIONS = (0.25, 0.5, 1.0)
NIGHT_DAYS = 0.5  # a day count includes the rest of its night


class Cut(NamedTuple):
    """A family ("by_detections", ...) and its value as a key of `metrics.json`."""

    family: str
    value: str


def all_cuts() -> list[Cut]:
    """List the cuts in the order of `metrics.json`."""
    families = (("by_detections", DETECTIONS), ("by_days", DAYS), ("by_fraction", FRACTIONS))
    found = [Cut(family, str(value)) for family, values in families for value in values]
    return [*found, Cut("full", "")]


def cut_positions(curve: LightCurve) -> Iterator[tuple[Cut, int]]:
    """Give, for each cut that a light curve of used points reaches, its last known point.

    "by_detections" n: the n-th used point; not reached by shorter light curves. "by_days" d: the
    last one within d + 0.5 days of the first. "by_fraction" f: the last one within the fraction f
    of the time from first to last. "full": the last one.
    """
    age = curve.mjd - curve.mjd[0]
    for cut in all_cuts():
        if cut.family == "by_detections":
            if len(curve) >= int(cut.value):
                yield cut, int(cut.value) - 1
        elif cut.family == "full":
            yield cut, len(curve) - 1
        else:
            by_days = cut.family == "by_days"
            limit = float(cut.value) + NIGHT_DAYS if by_days else float(cut.value) * age[-1] + 1e-9
            yield cut, int(np.searchsorted(age, limit, side="right")) - 1
