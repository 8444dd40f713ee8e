"""How much each prefix of a light curve counts, in the loss and in the calibration."""

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import LightCurve
from broker_classifier.training.judge.cuts import n_before_detection
from broker_classifier.training.recipe_tables import Optimisation

TYPICAL_LENGTH = 20
UNDETECTED_SHARE = 0.1  # of the first detection's weight, before it
LAST_DAY = 200.0

Floats = NDArray[np.float64]


def prefix_weights(curve: LightCurve, settings: Optimisation) -> Floats:
    """Say how much each prefix of a light curve counts in the loss.

    A part goes by the rank after the first detection and sums to 1 for a light curve of typical
    length, a part by `day_weights` and sums to 1 for every one.
    """
    decay, by_days = settings.prefix_decay, settings.share_by_days
    n_before = n_before_detection(curve)
    step = np.arange(len(curve)) - n_before  # 0 at the first detection
    by_rank = np.where(step < 0, UNDETECTED_SHARE, (step.clip(0) + 1.0) ** -decay)
    by_rank /= ((np.arange(TYPICAL_LENGTH) + 1.0) ** -decay).sum()
    if by_days == 0 or n_before == len(curve):
        return np.asarray(by_rank)
    days = curve.mjd[n_before:] - curve.mjd[n_before]
    shares = (1 - by_days) * by_rank
    shares[n_before:] += by_days * day_weights(days) / np.log1p(LAST_DAY)
    return np.asarray(shares)


def day_weights(days: Floats) -> Floats:
    """Say how much each prefix counts by the time for which it is all that is known.

    In ln(1 + days), up to day 200: as if objects were asked at any day, often at early ones.
    Objects that are seldom seen stay with few points for long, and are of other classes.

    Parameters
    ----------
    days : float array, shape (n_points,)
        Since the first detection, ascending from 0.

    Examples
    --------
    >>> day_weights(np.array([0.0, 1.0, 24.0])).round(2).tolist()
    [0.69, 2.53, 2.08]
    """
    until = np.append(days[1:], max(LAST_DAY, days[-1]))
    return np.asarray(np.log1p(until) - np.log1p(days))
