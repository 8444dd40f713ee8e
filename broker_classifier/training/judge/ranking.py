"""How well a score ranks one class before all others: areas under ROC and precision-recall curves.

All resamples are judged at once, by how often each object counts. Objects of equal score are one
step of the curve.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.training.judge.bootstrap import Counts

Floats = NDArray[np.float64]


def areas(score: Floats, is_positive: NDArray[np.bool_], counts: Counts) -> tuple[Floats, Floats]:
    """Compute the area under the ROC curve and the average precision.

    Parameters
    ----------
    score : float array, shape (n,)
    is_positive : bool array, shape (n,)
        Whether the object belongs to the class.
    counts : float array, shape (B, n)
        How often each object counts.

    Returns
    -------
    roc_auc, average_precision : float arrays, shape (B,)
        NaN where no object of the class counts, or for ROC no other.
    """
    order = np.argsort(score, kind="stable")
    ordered, score, is_positive = counts[:, order], score[order], is_positive[order]
    of_class = np.ascontiguousarray(ordered[:, is_positive])  # (B, P)
    all_below, all_equal, n = _below_and_equal(ordered, score, score[is_positive])
    below, equal, n_class = _below_and_equal(of_class, score[is_positive], score[is_positive])
    # How many objects of other classes have a lower score, (B, P); equal ones count half.
    n_beaten = all_below - below + (all_equal - equal) / 2
    precision = (n_class[:, None] - below) / np.maximum(n[:, None] - all_below, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        roc_auc = _total(of_class, n_beaten) / (n_class * (n - n_class))
        average_precision = _total(of_class, precision) / n_class
    return roc_auc, average_precision


def _below_and_equal(
    counts: Counts, score: Floats, at: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32], Floats]:
    """Count objects below and at some scores, shapes (B, P), and all, (B,); `score` ascends."""
    cumulative = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.float32)
    np.cumsum(counts, axis=1, out=cumulative[:, 1:])
    below = cumulative[:, np.searchsorted(score, at, side="left")]
    up_to = cumulative[:, np.searchsorted(score, at, side="right")]
    return below, up_to - below, cumulative[:, -1].astype(np.float64)


def _total(counts: Counts, values: NDArray[Any]) -> Floats:
    return np.asarray(np.einsum("bp,bp->b", counts, values, dtype=np.float64))
