"""Figures of many runs: balanced accuracy with its scatter, and what one model gains on another.

A gain is the mean over seeds of the paired differences (same objects, same trunk weights at the
start). Its 95 % interval adds in quadrature what other seeds would change (Student's t on the
differences) and what other test objects would (a bootstrap within each true class; one object has
the same weight in all seeds that test it).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.training.judge.groups import group_labels, group_positions
from broker_classifier.training.judge.scores import balanced_accuracy, confusion_matrix
from broker_classifier.training.poster.runs import Result

N_BOOTSTRAP = 1000
NORMAL_95 = 1.96
# Student's t for two-sided 95 %, by degrees of freedom.
STUDENT_95 = (np.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Level(NamedTuple):
    """Names to decide between, and the position among them of every class of the runs."""

    names: tuple[str, ...]
    of_class: Ints


class Gain(NamedTuple):
    """What a model gains in balanced accuracy on another; `interval` is half of its 95 % width."""

    mean: float
    interval: float
    from_seeds: float
    from_objects: float
    n_seeds: int

    def verdict(self) -> str:
        """Say in a word whether the interval leaves out 0.

        >>> Gain(0.03, 0.02, 0.01, 0.01, 5).verdict()
        'helps'
        """
        if not abs(self.mean) > self.interval:
            return "no difference shown"
        return "helps" if self.mean > 0 else "hurts"


def levels(classes: Sequence[str]) -> dict[str, Level]:
    """Give the classes themselves and, where several are of one group, the groups.

    >>> levels(("SNIa", "SNIax", "SNII"))["groups"].names
    ('SNIa+Iax', 'SNII')
    """
    by_name = {"classes": Level(tuple(classes), np.arange(len(classes)))}
    groups = tuple(group_labels(classes))
    if len(groups) < len(classes):
        by_name["groups"] = Level(groups, group_positions(classes))
    return by_name


def confusion_of(result: Result, level: Level) -> Ints:
    """Count decisions, true classes in rows."""
    target, decided = level.of_class[result.target], level.of_class[result.decided]
    return confusion_matrix(target, decided, len(level.names))


def balanced_accuracy_of(result: Result, level: Level) -> float:
    """Average the recall over the classes that occur in the test."""
    return float(balanced_accuracy(confusion_of(result, level)))


def mean_confusion(results: Sequence[Result], level: Level) -> Floats:
    """Average the matrices of all seeds, each with rows that sum to 1."""
    matrices = [confusion_of(result, level) for result in results]
    shares = [counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) for counts in matrices]
    return np.asarray(np.mean(shares, axis=0))


def gain(of: Mapping[int, Result], on: Mapping[int, Result], level: Level) -> Gain:
    """Compare the results of two models, by seed; both tested the same objects.

    Raises
    ------
    ValueError
        They did not.
    """
    seeds = sorted(set(of) & set(on))
    if not seeds or any(of[s].ids != on[s].ids for s in seeds):
        msg = "a gain is paired: both models have to be tested on the same objects"
        raise ValueError(msg)
    before, after = ([balanced_accuracy_of(model[s], level) for s in seeds] for model in (on, of))
    differences = np.subtract(after, before)
    from_seeds = np.inf
    if len(seeds) > 1:
        student = STUDENT_95[min(len(seeds) - 1, len(STUDENT_95) - 1)]
        from_seeds = student * float(np.std(differences, ddof=1)) / np.sqrt(len(seeds))
    from_objects = NORMAL_95 * float(np.std(_resampled([(of[s], on[s]) for s in seeds], level)))
    both = float(np.hypot(from_seeds, from_objects))
    return Gain(float(np.mean(differences)), both, float(from_seeds), from_objects, len(seeds))


def _resampled(pairs: Sequence[tuple[Result, Result]], level: Level) -> Floats:
    """Draw the objects of each class anew: mean gains, shape (N_BOOTSTRAP,)."""
    ids = np.unique(np.concatenate([first.ids for first, _ in pairs]))
    target = np.zeros(len(ids), dtype=np.int64)
    gained = np.full((len(pairs), len(ids)), np.nan)
    for row, (first, second) in zip(gained, pairs, strict=True):
        at = np.searchsorted(ids, first.ids)
        target[at] = level.of_class[first.target]
        right = [
            (level.of_class[r.decided] == target[at]).astype(np.float64) for r in (first, second)
        ]
        row[at] = right[0] - right[1]
    random = np.random.default_rng(0)
    per_class = []
    for k in np.unique(target):
        of_class = gained[:, target == k]  # (seeds, objects of the class)
        n = of_class.shape[1]
        times = random.multinomial(n, np.full(n, 1 / n), size=N_BOOTSTRAP).astype(np.float64)
        tested = np.isfinite(of_class).astype(np.float64)
        per_class.append(times @ np.nan_to_num(of_class).T / np.maximum(times @ tested.T, 1e-9))
    return np.asarray(np.mean(per_class, axis=(0, 2)))  # (classes, draws, seeds) -> (draws,)
