"""How much each prefix of a light curve counts, in the loss and in the calibration."""

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import LightCurve
from broker_classifier.training.judge.cuts import n_before_detection
from broker_classifier.training.recipe_tables import Optimisation

TYPICAL_LENGTH = 20  # points
UNDETECTED_SHARE = 0.1  # of the first detection's weight, before it
LAST_DAY = 200.0

Floats = NDArray[np.float64]


def prefix_weights(curve: LightCurve, settings: Optimisation) -> Floats:
    """Weigh the prefixes of a light curve in the loss.

    One part of the weight goes by the rank after the first detection, see `rank_weights`. The other
    goes by `day_weights`, and sums to 1 for every light curve.
    """
    decay, by_days = settings.prefix_decay, settings.share_by_days
    n_before = n_before_detection(curve)
    undetected = UNDETECTED_SHARE * rank_weights(1, decay)
    detected = rank_weights(len(curve) - n_before, decay)
    weights = np.concatenate([np.repeat(undetected, n_before), detected])
    if by_days == 0 or n_before == len(curve):
        return weights
    days = curve.mjd[n_before:] - curve.mjd[n_before]
    weights *= 1 - by_days
    weights[n_before:] += by_days * day_weights(days) / np.log1p(LAST_DAY)
    return weights


def rank_weights(n_points: int, decay: float) -> Floats:
    """Weigh the n-th prefix by n^-decay; those of a light curve of typical length sum to 1.

    >>> rank_weights(2, 0.0).tolist()
    [0.05, 0.05]
    """
    typical = np.arange(1.0, TYPICAL_LENGTH + 1) ** -decay
    return np.asarray(np.arange(1.0, n_points + 1) ** -decay / typical.sum())


def day_weights(days: Floats) -> Floats:
    """Weigh each prefix by the time for which it is all that is known, in ln(1 + days) to day 200.

    So answers count as if asked for on any day, often on early ones. Objects that are seldom seen
    keep few points for long, and they are of other classes.

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
