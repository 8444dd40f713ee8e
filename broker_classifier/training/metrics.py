"""Figures of merit, under two decision rules, each where it belongs.

- equal prior, argmax of probability / prior: balanced accuracy, recall, confusion. It asks what
  the light curve says, with no class favoured because it is common.
- natural prior, argmax of probability: accuracy, macro-F1, ECE. It is what a user acts on.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DECISION_RULE = {
    "balanced_accuracy, recall, confusion": "equal prior: argmax of probability / prior",
    "accuracy, macro_f1, ece": "natural prior: argmax of probability",
    "classes": "averages run over the classes that occur in the sample",
}
GROUPS = {
    "SNIa+91bg+Iax": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII",),
    "SNIbc": ("SNIbc",),
    "SLSN-I": ("SLSN-I",),
    "TDE": ("TDE",),
    "AGN": ("AGN",),
}
N_BINS = 15
N_BOOTSTRAP = 200
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


def group_names(classes: Sequence[str]) -> list[str]:
    """List the groups that classes form, in the order of their first classes."""
    return list(dict.fromkeys(_GROUP_OF.get(name, name) for name in classes))


def grouped(
    target: Ints, probabilities: Floats, prior: Floats, classes: Sequence[str]
) -> tuple[Ints, Floats, Floats, list[str]]:
    """Join classes into the groups that they form; a class outside all is a group of its own."""
    owner = [_GROUP_OF.get(name, name) for name in classes]
    names = group_names(classes)
    member = np.array([[o == name for o in owner] for name in names], dtype=np.float64)  # (G, K)
    return member.argmax(axis=0)[target], probabilities @ member.T, member @ prior, names


def metrics_at_a_cut(
    target: Ints, probabilities: Floats, prior: Floats, classes: Sequence[str]
) -> dict[str, Any]:
    """Compute every figure of one cut.

    Parameters
    ----------
    target : int array, shape (n,)
    probabilities : float array, shape (n, K)
        Under the natural prior.
    prior : float array, shape (K,)
    classes : sequence of str
        K names.

    Returns
    -------
    dict
        `confusion` has true classes in rows, decided ones in columns; `recall` is None for a
        class that does not occur; `balanced_accuracy_95` is a bootstrap interval.
    """
    equal, natural = (probabilities / prior).argmax(axis=1), probabilities.argmax(axis=1)
    confusion = confusion_matrix(target, equal, len(classes))
    recall = _recalls(confusion)
    return {
        "n": len(target),
        "balanced_accuracy": _rounded(np.nanmean(recall)),
        "balanced_accuracy_95": _interval(target, equal, len(classes)),
        "macro_f1": _rounded(macro_f1(confusion_matrix(target, natural, len(classes)))),
        "accuracy": _rounded((natural == target).mean()),
        "ece": _rounded(expected_calibration_error(target, probabilities)),
        "recall": {c: _rounded(r) for c, r in zip(classes, recall, strict=True)},
        "confusion": confusion.tolist(),
    }


def confusion_matrix(target: Ints, decided: Ints, n_classes: int) -> NDArray[np.int64]:
    """Count decisions, true classes in rows."""
    counts = np.bincount(target * n_classes + decided, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Average F1 over the classes that occur."""
    right, occurs = np.diag(confusion), confusion.sum(axis=1) > 0
    f1 = 2 * right / np.maximum(confusion.sum(axis=1) + confusion.sum(axis=0), 1)
    return float(f1[occurs].mean())


def expected_calibration_error(target: Ints, probabilities: Floats) -> float:
    """Average |accuracy - top probability| over 15 equal bins, weighted by their counts."""
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == target
    bin_ = np.minimum((top * N_BINS).astype(np.int64), N_BINS - 1)
    difference = np.bincount(bin_, weights=right - top, minlength=N_BINS)
    return float(np.abs(difference).sum() / len(target))


def _recalls(confusion: NDArray[np.int64]) -> Floats:
    n = confusion.sum(axis=1)
    return np.where(n > 0, np.diag(confusion) / np.maximum(n, 1), np.nan)


def _interval(target: Ints, decided: Ints, n_classes: int) -> list[float | None]:
    """Resample the objects of every class, so that each class keeps its number."""
    random = np.random.default_rng(0)
    right = [(decided[target == k] == k) for k in range(n_classes) if (target == k).any()]
    draws = [random.binomial(len(r), r.mean(), N_BOOTSTRAP) / len(r) for r in right]
    low, high = np.quantile(np.mean(draws, axis=0), [0.025, 0.975])
    return [_rounded(low), _rounded(high)]


def _rounded(value: float | np.floating[Any]) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
