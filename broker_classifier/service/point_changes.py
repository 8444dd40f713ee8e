"""What new points change: where a light curve differs, what a bundle uses, what was taken back."""

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import BOOL, FLOAT64, cached_for
from broker_classifier.light_curve import KIND_MASK, KIND_SHIFT, POINTS, WITHDRAWN, LightCurve
from broker_classifier.light_curve.selection import Selection, select


@cached_for(BOOL(POINTS, FLOAT64))
def is_withdrawn(points: NDArray[np.void], mjd: float) -> bool:
    """Say whether there are detections at this time, all of them taken back."""
    is_there = False
    for i in range(len(points) - 1, -1, -1):
        if points[i].mjd < mjd:
            break
        if points[i].mjd == mjd and points[i].flags >> KIND_SHIFT & KIND_MASK == 0:
            if not points[i].flags & WITHDRAWN:
                return False
            is_there = True
    return is_there


def uses_others(selection: Selection, before: LightCurve, now: LightCurve) -> bool:
    """Say whether a bundle would use other points than before."""
    return used_points(now, selection) != used_points(before, selection)


def used_points(curve: LightCurve, selection: Selection) -> bytes:
    """Give the points that a bundle would use, as bytes that can be compared."""
    return curve.points[select(curve, selection).index].tobytes()


@cached_for(FLOAT64(POINTS, POINTS))
def first_difference(before: NDArray[np.void], after: NDArray[np.void]) -> float:
    """Return the MJD from which on the points of two light curves differ; infinity if none does.

    >>> from broker_classifier.light_curve import light_curve
    >>> curve = light_curve([60000.0, 60002.0], 100.0, 10.0, "gg")
    >>> longer = curve.merge(light_curve([60001.0], 100.0, 10.0, "g"))
    >>> first_difference(curve.points, longer.points)
    60001.0
    >>> first_difference(curve.points, curve.points)
    inf
    """
    shared = min(len(before), len(after))
    for i in range(shared):
        old, new = before[i], after[i]
        is_same = old.mjd == new.mjd and old.flags == new.flags
        is_same = is_same and old.psf_flux_err == new.psf_flux_err
        is_limit = np.isnan(old.psf_flux) and np.isnan(new.psf_flux)
        if not (is_same and (is_limit or old.psf_flux == new.psf_flux)):
            return float(min(old.mjd, new.mjd))
    if len(before) == len(after):
        return np.inf
    return float(before[shared].mjd if len(before) > shared else after[shared].mjd)
