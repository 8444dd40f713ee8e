"""Points that a stream had as negative, where a set has lost the sign.

A reference image that was taken while a supernova shone holds its light L. When it has faded, every
later difference is -L: year after year detections of one constant brightness. The service does not
use negative detections, so a set that gives only their brightness must not teach them as light.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.training.data.labelled_objects import LabelledObject

Floats = NDArray[np.float64]
YEAR_DAYS = 365.25
MIN_IN_YEAR = 3
MOST_CHANGE = 1.2  # of the medians of the years, of a constant
MOST_RISE = 1.3  # of one point over the faintest after it, still on the way to -L


def without_lost_signs(
    objects: Sequence[LabelledObject], unsigned_sources: Sequence[str]
) -> list[LabelledObject]:
    """Leave out, of objects of these sources, the points that must have been negative."""
    return [without_negative(o) if o.source in unsigned_sources else o for o in objects]


def without_negative(labelled: LabelledObject) -> LabelledObject:
    """Leave out the points that must have been negative, band by band.

    In a band that has one constant brightness in two years or more after the first, everything
    after that year was negative, and before it what rose steadily towards that constant.
    """
    kept = np.ones(len(labelled.mjd), dtype=bool)
    for band in np.unique(labelled.band):
        mine = np.flatnonzero(labelled.band == band)
        year = np.floor((labelled.mjd[mine] - labelled.mjd[0]) / YEAR_DAYS)
        kept[mine[_n_positive(year, labelled.flux[mine], labelled.flux_err[mine]) :]] = False
    return labelled if kept.all() else labelled.at(np.flatnonzero(kept))


def _n_positive(year: Floats, flux: Floats, flux_err: Floats) -> int:
    """Count the points of one band before the first that must be negative."""
    later = [flux[year == y] for y in np.unique(year[year > 0])]
    medians = [float(np.median(one)) for one in later if len(one) >= MIN_IN_YEAR]
    if len(medians) < 2 or max(medians) > MOST_CHANGE * min(medians):
        return len(flux)
    n = int((year <= 0).sum())
    faintest = float(np.median(np.concatenate(later)))
    while n and flux[n - 1] <= MOST_RISE * faintest + 2 * flux_err[n - 1]:
        faintest = min(faintest, float(flux[n - 1]))
        n -= 1
    return n
