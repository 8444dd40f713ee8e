"""Can the source of a light curve be told from the model's input? Within a class it must not be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict

from broker_classifier.inputs import ModelInput
from broker_classifier.light_curve import LightCurve
from broker_classifier.selection import Selection
from broker_classifier.training.bootstrap import Interval, interval, resamples
from broker_classifier.training.examples import Example
from broker_classifier.training.metrics import rounded
from broker_classifier.training.prefixes import network_input
from broker_classifier.training.ranking import areas

MIN_OF_EACH = 20
FOLDS = 4


@dataclass(frozen=True, eq=False)
class Probe:
    """How well two kinds of light curves can be told apart.

    Attributes
    ----------
    n : (int, int)
        Light curves of the first and of the second kind.
    auc : float
        Area under the ROC curve, 0.5 where one can only guess.
    resampled : float array, shape (B,)
        The same for objects drawn anew.
    """

    n: tuple[int, int]
    auc: float
    resampled: NDArray[np.float64]

    @property
    def auc_95(self) -> Interval:
        """The 95 % interval of the area."""
        return interval(self.resampled)

    def figures(self) -> dict[str, object]:
        """Lay it out for `metrics.json`."""
        return {"n": list(self.n), "auc": rounded(self.auc), "auc_95": self.auc_95}


def probe(
    first: Sequence[Example],
    second: Sequence[Example],
    n_detections: int,
    selection: Selection,
    normalisation: ModelInput,
    *,
    paired: bool = False,
) -> Probe | None:
    """Try to tell two kinds of light curves apart by the model's input after `n_detections`.

    A boosted-tree classifier guesses, cross-validated over four folds.

    Parameters
    ----------
    paired : bool
        Whether the kinds are views of the same objects, in the same order: both views of one are
        then in one fold, and are drawn anew together.

    Returns
    -------
    Probe or None
        None with fewer than 20 light curves of either kind that are long enough.
    """
    kinds = [[e for e in kind if len(e.curves[0]) >= n_detections] for kind in (first, second)]
    if paired:
        pairs = [p for p in zip(first, second, strict=True) if _shorter(p) >= n_detections]
        kinds = [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    if min(map(len, kinds)) < MIN_OF_EACH:
        return None
    n_first, n_second = map(len, kinds)
    is_second = np.repeat([False, True], [n_first, n_second])
    curves = [LightCurve(e.curves[0].points[:n_detections]) for kind in kinds for e in kind]
    known = network_input(curves, selection, normalisation).numpy()  # (N, n or L, C)
    features = np.concatenate([known[:, -1], known.mean(axis=1), known.std(axis=1)], axis=1)
    plain = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    guess = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0),
        features,
        is_second,
        groups=np.tile(np.arange(n_first), 2) if paired else None,
        cv=GroupKFold(FOLDS) if paired else plain,
        method="predict_proba",
    )[:, 1]
    counts = np.tile(resamples(np.zeros(n_first)), 2) if paired else resamples(is_second)
    once = np.ones((1, len(curves)), dtype=np.float32)
    found, _ = areas(guess, is_second, np.concatenate([once, counts]))
    return Probe((n_first, n_second), float(found[0]), found[1:])


def _shorter(pair: tuple[Example, Example]) -> int:
    return min(len(e.curves[0]) for e in pair)
