"""The gate of the source: within a class, the model's input must not tell who observed it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict

from broker_classifier.light_curve import LightCurve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.inputs import ModelInput
from broker_classifier.training.data.labelled_objects import preferred_objects
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.bootstrap import (
    Interval,
    difference_interval,
    interval,
    resamples,
)
from broker_classifier.training.judge.cuts import after_detections
from broker_classifier.training.judge.gates.evidence import (
    SUPERNOVA,
    Evidence,
    Gate,
    gate,
    pairs_of_views,
    untried,
    usual_year,
    year_of,
)
from broker_classifier.training.judge.prefix_logits import network_input
from broker_classifier.training.judge.ranking import areas
from broker_classifier.training.judge.scores import rounded

DETECTIONS = (1, 3, 10)
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
        Area under the ROC curve; 0.5 is a guess.
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
    inputs: Sequence[ModelInput],
    *,
    paired: bool = False,
) -> Probe | None:
    """Try to tell two kinds of light curves apart by a model's inputs after `n_detections`.

    A boosted-tree classifier guesses, cross-validated over four folds.

    Parameters
    ----------
    inputs : sequence of ModelInput
        Of a blend those of all members.
    paired : bool
        Whether the kinds are views of the same objects, in the same order. Then both views of an
        object are in the same fold, and are drawn anew together.

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
    features = np.concatenate([_summary(curves, selection, of) for of in inputs], axis=1)
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
    aucs, _ = areas(guess, is_second, np.concatenate([once, counts]))
    return Probe((n_first, n_second), float(aucs[0]), aucs[1:])


def _summary(
    curves: Sequence[LightCurve], selection: Selection, model_input: ModelInput
) -> NDArray[np.float32]:
    """Sum up an input: its last row, and mean and scatter of its rows; what is not known is -1."""
    rows = np.nan_to_num(network_input(curves, selection, model_input).numpy(), nan=-1.0)
    if rows.shape[1] == 1:
        return np.asarray(rows[:, 0])
    return np.concatenate([rows[:, -1], rows.mean(axis=1), rows.std(axis=1)], axis=1)


def _shorter(pair: tuple[Example, Example]) -> int:
    return min(len(e.curves[0]) for e in pair)


def source_probe(evidence: Evidence) -> Gate:
    """Try to tell the source of supernovae, and their year within one source.

    Without enough objects for the control there is no verdict, but the figures stand.
    """
    supernovae = preferred_objects([o for o in evidence.objects if o.label == SUPERNOVA])
    forced = evidence.examples([o for o in supernovae if not evidence.is_alert(o)])
    alerts = evidence.examples([o for o in supernovae if evidence.is_alert(o)])
    if not forced or not alerts:
        return untried(f"there are no {SUPERNOVA} from alerts and from forced photometry")
    year = usual_year(forced)
    same_year = [e for e in alerts if year_of(e) == year]
    later = [e for e in alerts if year_of(e) != year]
    alert_views, forced_views = _views_of_both_kinds(evidence)
    at = {}
    parts = evidence.bundle.members or (evidence.bundle,)
    inputs = [part.description.input for part in parts]
    for n in DETECTIONS:
        settings = n, evidence.bundle.selection, inputs
        source, control = probe(alerts, forced, *settings), probe(later, same_year, *settings)
        if source is not None:
            figures = _probe_figures(source, control)
            beside = {
                "alerts_or_forced_of_that_year": probe(same_year, forced, *settings),
                "alerts_or_forced_of_the_same_objects": probe(
                    alert_views, forced_views, *settings, paired=True
                ),
            }
            figures |= {name: p.figures() if p else None for name, p in beside.items()}
            at[after_detections(n).key] = figures
    return gate(at) | {"year": year}


def _views_of_both_kinds(evidence: Evidence) -> tuple[list[Example], list[Example]]:
    """Give the alerts, and in the same order the forced photometry, of supernovae with both."""
    supernovae = replace(evidence, objects=[o for o in evidence.objects if o.label == SUPERNOVA])
    pairs = [p for p in pairs_of_views(supernovae) if p[0].is_alert and not p[1].is_alert]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _probe_figures(source: Probe, control: Probe | None) -> dict[str, Any]:
    if control is None:
        nothing = {"year_control": None, "difference": None, "difference_95": [None, None]}
        return {"alerts_or_forced": source.figures(), **nothing, "passed": None}
    difference = difference_interval(source.resampled, control.resampled)
    return {
        "alerts_or_forced": source.figures(),
        "year_control": control.figures(),
        "difference": rounded(source.auc - control.auc),
        "difference_95": difference,
        "passed": difference[0] is not None and difference[0] <= 0.0,
    }
