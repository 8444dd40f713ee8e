"""Can the source of a light curve be told from the model's input? Within a class it must not be."""

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from broker_classifier.inputs import ModelInput
from broker_classifier.light_curve import LightCurve
from broker_classifier.selection import Selection
from broker_classifier.training.examples import Example
from broker_classifier.training.prefixes import network_input

MIN_OF_EACH = 20
FOLDS = 4


def source_probe(
    examples: Sequence[Example],
    alert_sources: Sequence[str],
    n_detections: int,
    selection: Selection,
    normalisation: ModelInput,
) -> float | None:
    """Try to tell alerts from forced photometry in light curves of one class.

    A boosted-tree classifier guesses the kind of source from the model's input after
    `n_detections`, cross-validated over four folds.

    Returns
    -------
    float or None
        Area under the ROC curve, 0.5 where it can only guess; None with fewer than 20 light
        curves of either kind.
    """
    long_enough = [e for e in examples if len(e.curves[0]) >= n_detections]
    is_alert = np.array([e.source in alert_sources for e in long_enough], dtype=bool)
    if min(is_alert.sum(), (~is_alert).sum()) < MIN_OF_EACH:
        return None
    first = [LightCurve(e.curves[0].points[:n_detections]) for e in long_enough]
    known = network_input(first, selection, normalisation).numpy()  # (N, n or L, C)
    features = np.concatenate([known[:, -1], known.mean(axis=1), known.std(axis=1)], axis=1)
    guess = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0),
        features,
        is_alert,
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0),
        method="predict_proba",
    )
    return float(roc_auc_score(is_alert, guess[:, 1]))
