"""The moments at which a classifier is judged: after so many detections, days, or fractions."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import Kind, LightCurve

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
        elif cut.family == "full":
            yield cut, len(curve) - 1
        elif cut.family == "by_fraction":
            yield cut, _last_until(age, float(cut.value) * age[-1] + 1e-9)
        elif len(detected):
            yield cut, _last_until(age, age[detected[0]] + float(cut.value) + NIGHT_DAYS)


def n_before_detection(curve: LightCurve) -> int:
    """Count the points before the first detection; all of them if there is none."""
    is_detection = curve.kind == Kind.DETECTION
    return int(is_detection.argmax()) if is_detection.any() else len(curve)


def _last_until(age: NDArray[np.float64], limit: float) -> int:
    return int(np.searchsorted(age, limit, side="right")) - 1
