"""Points that were negative in the stream, in a data set that has lost the sign.

A reference image that was taken while a supernova shone holds its light L. Once the supernova has
faded, every difference is -L: detections of a constant brightness, year after year. The service
does not use negative detections. So a set that gives only their brightness must not teach them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.training.data.labelled_objects import LabelledObject

Floats = NDArray[np.float64]
YEAR_DAYS = 365.25
MIN_IN_YEAR = 3
MOST_CHANGE = 1.2  # largest over smallest median of a year, of a constant brightness
MOST_RISE = 1.3  # of a point over the faintest after it, still on the way to -L


def without_lost_signs(
    objects: Sequence[LabelledObject], unsigned_sources: Sequence[str]
) -> list[LabelledObject]:
    """Leave out the points of these sources' objects that must have been negative."""
    return [without_negative(o) if o.source in unsigned_sources else o for o in objects]


def without_negative(labelled: LabelledObject) -> LabelledObject:
    """Leave out the points that must have been negative, band by band.

    A band may have the same brightness in two years or more after its first year. Then all its
    points after the first year were negative, and so were those that led steadily up to them.
    """
    kept = np.ones(len(labelled.mjd), dtype=bool)
    for band in np.unique(labelled.band):
        at = np.flatnonzero(labelled.band == band)
        year = np.floor((labelled.mjd[at] - labelled.mjd[0]) / YEAR_DAYS)
        kept[at[_n_positive(year, labelled.flux[at], labelled.flux_err[at]) :]] = False
    return labelled if kept.all() else labelled.at(np.flatnonzero(kept))


def _n_positive(year: Floats, flux: Floats, flux_err: Floats) -> int:
    """Count the points of one band before the first that must be negative."""
    later = [flux[year == y] for y in np.unique(year[year > 0])]
    medians = [float(np.median(of_year)) for of_year in later if len(of_year) >= MIN_IN_YEAR]
    if len(medians) < 2 or max(medians) > MOST_CHANGE * min(medians):
        return len(flux)
    n = int((year <= 0).sum())
    faintest = float(np.median(np.concatenate(later)))
    while n and flux[n - 1] <= MOST_RISE * faintest + 2 * flux_err[n - 1]:
        faintest = min(faintest, float(flux[n - 1]))
        n -= 1
    return n
