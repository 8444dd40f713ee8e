"""The rows that boosted trees are trained on: light curves cut at many moments, and their weights.

A tree sees one row at a time, so a light curve gives one for each of some moments: at detections,
where the service answers, and at random times between them, when all that is new is the silence.
Together they have the weight that `prefix_weights` gives the prefixes: the part by rank belongs to
detections, the part by days to the days.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import LightCurve
from broker_classifier.training.fit.fit_calibration import RANK_DECAY
from broker_classifier.training.fit.prefix_weights import LAST_DAY, prefix_weights
from broker_classifier.training.judge.cuts import n_before_detection
from broker_classifier.training.judge.moments import Moments, joined_moments
from broker_classifier.training.recipe_tables import Optimisation

RANKS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 65, 80, 100, 130, 170, 220)
N_DRAWS = 4

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def training_moments(
    curves: Sequence[LightCurve], settings: Optimisation, random: np.random.Generator
) -> tuple[Moments, Floats]:
    """Choose moments of each light curve, and weigh them; times between detections are random.

    Returns
    -------
    moments : Moments
    weight : float array, shape (n,)
        Of each in its light curve.
    """
    parts = []
    for i, curve in enumerate(curves):
        for n_points, asked_mjd, weight in (
            _at_ranks(curve, settings),
            _at_days(curve, settings, random),
        ):
            parts.append((np.full(len(n_points), i), n_points, asked_mjd, weight))
    *columns, weight = map(np.concatenate, zip(*parts, strict=True))
    return Moments(*columns), weight


def _at_ranks(curve: LightCurve, settings: Optimisation) -> tuple[Integers, Floats, Floats]:
    """Choose some points; each has the weight of those up to the next chosen one."""
    n_before, ranks = n_before_detection(curve), np.array(RANKS)
    chosen = np.concatenate([ranks[ranks <= n_before], n_before + ranks])
    chosen = chosen[chosen <= len(curve)]
    owner = np.searchsorted(chosen, np.arange(1, len(curve) + 1), side="right") - 1
    by_rank = prefix_weights(curve, settings.model_copy(update={"share_by_days": 0.0}))
    by_rank *= 1.0 - settings.share_by_days
    return chosen, curve.mjd[chosen - 1], np.bincount(owner, by_rank).astype(np.float64)


def _at_days(
    curve: LightCurve, settings: Optimisation, random: np.random.Generator
) -> tuple[Integers, Floats, Floats]:
    """Choose times after the first detection, even in ln(1 + days), at random in equal parts."""
    n_before = n_before_detection(curve)
    if n_before == len(curve) or not settings.share_by_days:
        return np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    days = curve.mjd - curve.mjd[n_before]
    until = np.log1p(max(LAST_DAY, days[-1]))
    n = max(3, int(np.searchsorted(RANKS, len(curve), side="right")))
    asked = np.expm1((np.arange(n) + random.random(n)) / n * until)
    weight = np.full(n, settings.share_by_days * until / np.log1p(LAST_DAY) / n)
    n_points = np.searchsorted(days, asked, side="right").astype(np.int64)
    return n_points, curve.mjd[n_before] + asked, weight


def calibration_moments(
    curves: Sequence[LightCurve], random: np.random.Generator
) -> tuple[Moments, Floats]:
    """Choose the moments at which answers that hear silence are calibrated, and weigh them.

    Half of the weight goes to detections by their rank, half to days; see `fit_calibration`. The
    times between detections are drawn `N_DRAWS` times.
    """
    settings = Optimisation(prefix_decay=RANK_DECAY, share_by_days=0.5)
    draws = [training_moments(curves, settings, random) for _ in range(N_DRAWS)]
    moments = joined_moments([moments for moments, _ in draws])
    weight = np.concatenate([weight for _, weight in draws])
    return moments, weight / weight.sum()


def thinned(
    moments: Moments, weight: Floats, n_rows: int, random: np.random.Generator
) -> tuple[Moments, Floats]:
    """Draw about so many moments, those of much weight more often; the others weigh more then."""
    if len(weight) <= n_rows:
        return moments, weight
    chance = np.sqrt(weight)
    for _ in range(5):  # what is certain leaves more chance to the others
        chance = np.minimum(1.0, chance * n_rows / chance.sum())
    drawn = np.flatnonzero(random.random(len(weight)) < chance)
    return moments.take(drawn), weight[drawn] / chance[drawn]
