"""The 95 % intervals of figures, by drawing the objects anew.

A resample is an array of how often each object occurs in it. So a figure is computed for all
resamples at once, by matrix products. Figures of single classes draw within each class, so that the
class keeps its number of objects; a rare class would be missing in many resamples otherwise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.float32]
Interval = list[float | None]

N_RESAMPLES = 1000
LARGE_SET = 2000  # objects, above which fewer resamples are drawn
FEWEST_RESAMPLES = 200
QUANTILES = (0.025, 0.975)


def resamples(stratum: NDArray[Any], seed: int = 0) -> Counts:
    """Count how often each of n objects occurs in each resample; shape (1000, n).

    Above 2000 objects there are fewer resamples, down to 200: their figures scatter less.

    Parameters
    ----------
    stratum : array, shape (n,)
        Objects are drawn within the same value; give all the same to draw freely.

    Examples
    --------
    >>> resamples(np.array([0, 1, 1])).sum(axis=1)[:2].tolist()
    [3.0, 3.0]
    """
    random = np.random.default_rng(seed)
    affordable = N_RESAMPLES * LARGE_SET // max(len(stratum), 1)
    n_resamples = min(N_RESAMPLES, max(FEWEST_RESAMPLES, affordable))
    counts = np.zeros((n_resamples, len(stratum)), dtype=np.float32)
    for value in np.unique(stratum):
        of_value = np.flatnonzero(stratum == value)
        drawn = random.integers(len(of_value), size=(n_resamples, len(of_value)))
        drawn += np.arange(n_resamples)[:, None] * len(of_value)
        times_drawn = np.bincount(drawn.ravel(), minlength=n_resamples * len(of_value))
        counts[:, of_value] = times_drawn.reshape(n_resamples, len(of_value))
    return counts


def interval(values: NDArray[Any], value: float | None = None) -> Interval:
    """Take the 95 % interval of a figure from its resampled values; None where they are not finite.

    Parameters
    ----------
    values : array, shape (n_resamples,)
    value : float, optional
        The figure itself, if resampling shifts it (a sum of absolute differences grows by the
        noise): the interval is moved back by that shift, and stays above 0.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return [None, None]
    low, high = np.quantile(finite, QUANTILES)
    if value is not None:
        shift = finite.mean() - value
        low, high = max(low - shift, 0.0), max(high - shift, 0.0)
    return [round(float(low), 4), round(float(high), 4)]


def resampled_means(values: Floats, seed: int = 0) -> Floats:
    """Take the mean of values, shape (n,), in every resample; shape (n_resamples,)."""
    counts = resamples(np.zeros(len(values), dtype=np.int64), seed=seed)
    return np.asarray(counts @ values / len(values))


def mean_interval(values: Floats, seed: int = 0) -> Interval:
    """Interval of the mean of values, shape (n,), one an object; [None, None] without any."""
    if not len(values):
        return [None, None]
    return interval(resampled_means(values, seed))


def difference_interval(first: Floats, second: Floats) -> Interval:
    """Interval of the difference of a figure between two sets, drawn anew independently.

    Parameters
    ----------
    first, second : float array, shape (n_resamples,)
        A larger set has fewer: as many as both have are used.
    """
    n = min(len(first), len(second))
    return interval(first[:n] - second[:n])


def median_interval(values: Floats, seed: int = 0) -> Interval:
    """Interval of the median of values, shape (n,), one an object; [None, None] without any."""
    if not len(values):
        return [None, None]
    random = np.random.default_rng(seed)
    drawn = random.integers(len(values), size=(N_RESAMPLES, len(values)))
    return interval(np.median(values[drawn], axis=1))
