"""How often a survey comes back. It changes over the years.

ZTF's public survey came every third night until 2020, and has come every second night since. A
light curve of 2022 with the visits of 2018 looks like nothing that ZTF sends. If a class has only
such light curves, they give it away.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.light_curve.selection import band_positions
from broker_classifier.training.data.labelled_objects import LabelledObject

LONGEST_GAP = 3
USUAL_SHARES = (0.2, 0.4, 0.4)
MIN_GAPS = 200
PERIOD_NIGHTS = 183
NIGHTS_BEFORE = 30  # that an alert looks back
NIGHTS_AFTER = 60
Nights = NDArray[np.int64]


class Cadence(BaseModel):
    """Gaps between the nights on which a survey visits a place, one half-year after another.

    Attributes
    ----------
    shares : tuple of tuple of float, one per half-year
        How often the next visit is one night later, two, and so on. Before the first half-year it
        is as in the first, after the last as in the last.
    first_night : int
        MJD on which the first begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shares: tuple[Annotated[tuple[float, ...], Field(min_length=1)], ...] = Field(
        (USUAL_SHARES,), min_length=1
    )
    first_night: int = 0

    def visited(self, nights: Nights, random: np.random.Generator) -> list[int]:
        """Choose nights, ascending: the next is drawn by its gap, among those that there are.

        Where none is near enough to have a share, it is the next one.
        """
        every, last = nights.tolist(), len(self.shares) - 1
        kept, at = [], 0
        while at < len(every):
            night = every[at]
            kept.append(night)
            shares = self.shares[min(max((night - self.first_night) // PERIOD_NIGHTS, 0), last)]
            gaps = [later - night for later in every[at + 1 : at + 1 + len(shares)]]
            weight = np.cumsum([shares[gap - 1] if gap <= len(shares) else 0.0 for gap in gaps])
            is_near = len(gaps) > 0 and weight[-1] > 0.0
            drawn = random.random() * weight[-1] if is_near else 0.0
            at += 1 + (int(np.searchsorted(weight, drawn, side="right")) if is_near else 0)
        return kept


def fit_cadence(
    alerts: Sequence[LabelledObject], band_letters: Sequence[str], night_offset_days: float
) -> Cadence:
    """Count the gaps of up to three nights between alerts and upper limits of the same object.

    Gaps count from 30 nights before an object's first alert to 60 nights after it. Longer gaps are
    clouds and the moon, and forced photometry has them, too. A half-year with fewer than 200 gaps
    gets the shares of the half-year before, or of the first that has as many. Without any such
    half-year the shares are `USUAL_SHARES`.

    Parameters
    ----------
    alerts : sequence of LabelledObject
    band_letters : sequence of str
    night_offset_days : float
        As in `Selection`.
    """
    nights = [_nights(o, band_letters, night_offset_days) for o in alerts if len(o.mjd)]
    starts = np.concatenate([np.empty(0, dtype=np.int64), *(visited[:-1] for visited in nights)])
    gaps = np.concatenate([np.empty(0, dtype=np.int64), *map(np.diff, nights)])
    starts, gaps = starts[gaps <= LONGEST_GAP], gaps[gaps <= LONGEST_GAP]
    if not len(gaps):
        return Cadence()
    edges = range(int(starts.min()), int(starts.max()) + PERIOD_NIGHTS + 1, PERIOD_NIGHTS)
    by_period = [gaps[(starts >= a) & (starts < b)] for a, b in pairwise(edges)]
    counted = [
        _shares(of_period) if len(of_period) >= MIN_GAPS else None for of_period in by_period
    ]
    usual = next((shares for shares in counted if shares), USUAL_SHARES)
    filled = []
    for shares in counted:
        usual = shares or usual
        filled.append(usual)
    return Cadence(first_night=edges[0], shares=tuple(filled))


def _shares(gaps: Nights) -> tuple[float, ...]:
    counts = np.bincount(gaps, minlength=LONGEST_GAP + 1)[1:]
    return tuple((counts / counts.sum()).round(4).tolist())


def _nights(
    labelled: LabelledObject, band_letters: Sequence[str], night_offset_days: float
) -> Nights:
    """Find the nights on which an object was visited, from before its first alert on."""
    mjd = np.concatenate([labelled.mjd, labelled.limits.mjd])
    band = np.concatenate([labelled.band, labelled.limits.band])
    night = np.floor(mjd + night_offset_days).astype(np.int64)
    first = np.floor(labelled.mjd[0] + night_offset_days)
    is_near = (night >= first - NIGHTS_BEFORE) & (night <= first + NIGHTS_AFTER)
    return np.unique(night[is_near & (band_positions(band_letters)[band] >= 0)])
