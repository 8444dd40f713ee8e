"""Figures of merit with their 95 % intervals, under two decision rules.

- Equal prior, argmax of probability / prior: balanced accuracy, recall, confusion. They say what
  the light curve tells; no class is favoured because it is common.
- Natural prior, argmax of probability: accuracy, macro-F1, ECE. They judge what a user acts on.
- No decision: ROC AUC and average precision of each class's probability against all others.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_classifier.training.judge.bootstrap import Counts, Interval, interval, resamples
from broker_classifier.training.judge.ranking import areas

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METRICS_FILE = "metrics.json"
"""Where a report keeps its figures."""

DECISION_RULE = {
    "balanced_accuracy, recall, confusion": "equal prior: argmax of probability / prior",
    "accuracy, macro_f1, ece": "natural prior: argmax of probability",
    "roc_auc, average_precision": "one class against all others, by its probability",
    "classes": "averages run over the classes that occur in the sample",
    "_95": "95 % bootstrap interval over objects, drawn within each class; for figures under the "
    "natural prior, from all objects",
}
N_BINS = 15


def metrics_at_a_cut(
    target: Ints, probabilities: Floats, prior: Floats, classes: Sequence[str]
) -> dict[str, Any]:
    """Compute every figure of one cut, with its interval under its name and `_95`.

    Parameters
    ----------
    target : int array, shape (n,)
    probabilities : float array, shape (n, K)
        Under the natural prior.
    prior : float array, shape (K,) or (n, K)
    classes : sequence of str
        K names.

    Returns
    -------
    dict
        `confusion` has true classes in rows, decided ones in columns; figures of a class that
        does not occur are None.
    """
    counts = resamples(target)
    equal, natural = (probabilities / prior).argmax(axis=1), probabilities.argmax(axis=1)
    confusion = confusion_matrix(target, equal, len(classes))
    resampled = confusion_matrices(target, equal, len(classes), counts)
    return {
        "n": len(target),
        **_figure("balanced_accuracy", balanced_accuracy(confusion), balanced_accuracy(resampled)),
        **_natural_prior(target, natural, probabilities),
        **_per_class("recall", classes, recall(confusion), recall(resampled)),
        **_rankings(target, probabilities, classes, counts),
        "confusion": confusion.tolist(),
    }


def confusion_matrix(target: Ints, decided: Ints, n_classes: int) -> NDArray[np.int64]:
    """Count decisions, true classes in rows."""
    counts = np.bincount(target * n_classes + decided, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def confusion_matrices(target: Ints, decided: Ints, n_classes: int, counts: Counts) -> Counts:
    """Count decisions in each resample, (B, n) to (B, K, K)."""
    cell = np.zeros((len(target), n_classes**2), dtype=np.float32)
    cell[np.arange(len(target)), target * n_classes + decided] = 1.0
    return (counts @ cell).reshape(-1, n_classes, n_classes)


def recall(confusion: NDArray[Any]) -> Floats:
    """Share of each class that is recognised, (..., K, K) to (..., K); NaN if none occurs."""
    n = confusion.sum(axis=-1)
    return np.where(n > 0, np.diagonal(confusion, axis1=-2, axis2=-1) / np.maximum(n, 1), np.nan)


def balanced_accuracy(confusion: NDArray[Any]) -> Floats:
    """Average the recall over the classes that occur, (..., K, K) to (...)."""
    return _mean(recall(confusion))


def macro_f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Average F1 over the classes that occur, (..., K, K) to (...)."""
    right, n = np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1)
    f1 = 2 * right / np.maximum(n + confusion.sum(axis=-2), 1)
    return _mean(np.where(n > 0, f1, np.nan))


def expected_calibration_error(
    target: Ints, probabilities: Floats, counts: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Average |accuracy - top probability| over 15 equal bins, weighted by their counts.

    `counts`, shape (..., n), says how often each object counts; once if not given.
    """
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == target
    difference = np.zeros((len(target), N_BINS))
    difference[np.arange(len(target)), confidence_bin(top)] = right - top
    weight = np.ones(len(target)) if counts is None else np.asarray(counts)
    return np.asarray(np.abs(weight @ difference).sum(axis=-1) / len(target))


def confidence_bin(top: Floats) -> Ints:
    """Bins of top probabilities: 15 of equal width."""
    return np.minimum((top * N_BINS).astype(np.int64), N_BINS - 1)


def _natural_prior(target: Ints, decided: Ints, probabilities: Floats) -> dict[str, Any]:
    """Judge what a user acts on; chance decides how many of each class a resample has."""
    n, n_classes = len(target), probabilities.shape[1]
    counts, right = resamples(np.zeros(n)), decided == target
    f1s = macro_f1(confusion_matrices(target, decided, n_classes, counts))
    ece = float(expected_calibration_error(target, probabilities))
    eces = expected_calibration_error(target, probabilities, counts)
    return {
        **_figure("macro_f1", macro_f1(confusion_matrix(target, decided, n_classes)), f1s),
        **_figure("accuracy", right.mean(), counts @ right.astype(np.float32) / n),
        "ece": rounded(ece),
        "ece_95": interval(eces, ece),
    }


def _rankings(
    target: Ints, probabilities: Floats, classes: Sequence[str], counts: Counts
) -> dict[str, Any]:
    once = np.ones((1, len(target)), dtype=np.float32)
    both = np.concatenate([once, counts])
    by_class = [areas(p, target == k, both) for k, p in enumerate(probabilities.T)]
    roc, precision = (np.stack(columns, axis=-1) for columns in zip(*by_class, strict=True))
    return {
        **_per_class("roc_auc", classes, roc[0], roc[1:]),
        **_per_class("average_precision", classes, precision[0], precision[1:]),
    }


def _figure(name: str, value: ArrayLike, resampled: NDArray[Any]) -> dict[str, Any]:
    return {name: rounded(value), f"{name}_95": interval(resampled)}


def _per_class(
    name: str, classes: Sequence[str], values: Floats, resampled: Floats
) -> dict[str, dict[str, float | None] | dict[str, Interval]]:
    return {
        name: {c: rounded(v) for c, v in zip(classes, values, strict=True)},
        f"{name}_95": {c: interval(r) for c, r in zip(classes, resampled.T, strict=True)},
    }


def _mean(values: Floats) -> NDArray[np.float64]:
    """Mean over the last axis without NaN; at least one value is a number."""
    return np.asarray(np.nanmean(values, axis=-1))


def rounded(value: ArrayLike) -> float | None:
    """Round to 1e-4; None if the value is not finite."""
    number = float(np.asarray(value))
    return round(number, 4) if np.isfinite(number) else None
