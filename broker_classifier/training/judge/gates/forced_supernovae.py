"""The gate of forced photometry: it judges supernovae whose kind of data did not train."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broker_classifier.errors import ConfigError
from broker_classifier.model.bundle import Bundle, load_bundle
from broker_classifier.model.find_bundle import DESCRIPTION_FILE
from broker_classifier.training.data.labelled_objects import LabelledObject, preferred_objects
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.homogenise.homogenisation import read_homogenisation
from broker_classifier.training.judge.bootstrap import (
    difference_interval,
    mean_interval,
    resampled_means,
    resamples,
)
from broker_classifier.training.judge.cuts import FULL, MAIN_CUTS, Cut
from broker_classifier.training.judge.gates.evidence import (
    MIN_OBJECTS,
    SUPERNOVA,
    Evidence,
    Gate,
    gate,
    untried,
    usual_year,
    year_of,
)
from broker_classifier.training.judge.predictions import Predictions, pooled_predictions, predict
from broker_classifier.training.judge.scores import METRICS_FILE, rounded

FORCED_GATE = "forced_supernovae"
MISTAKEN_FOR = ("AGN", "TDE")
MAX_MISTAKEN = 0.12
MAX_RECALL_DIFFERENCE = 0.08
RISE_DAYS = 5.0
ByCut = dict[Cut, Predictions]


def forced_supernovae(evidence: Evidence, gate_folder: Path | None) -> Gate:
    """Judge by a bundle that met no forced photometry of supernovae: this one, or another.

    Parameters
    ----------
    evidence : Evidence
    gate_folder : path, optional
        Of a bundle of the same fold, or of a cross-validation of such bundles, whose figures are
        then taken.

    Raises
    ------
    BundleError, ConfigError
        The folder is neither.
    """
    if gate_folder is not None and not (gate_folder / DESCRIPTION_FILE).exists():
        return _of_cross_validation(gate_folder / METRICS_FILE, evidence.bundle)
    if gate_folder is not None:
        met_none, rules = load_bundle(gate_folder), read_homogenisation(gate_folder)
        fold, judged_fold = (b.description.training.fold for b in (met_none, evidence.bundle))
        if fold != judged_fold:
            return untried(
                f"the gate bundle is of fold {fold}, and has seen objects that fold {judged_fold} "
                "judges: give one of the same fold"
            )
        evidence = replace(evidence, bundle=met_none, rules=rules)
    bundle = evidence.bundle
    if SUPERNOVA not in bundle.description.training.alerts_only:
        return untried(
            f"it needs a bundle trained on no forced photometry of {SUPERNOVA}: --gate-bundle"
        )
    views = _unseen_views(evidence)
    forced, alerts = (predict(evidence.examples(of_kind), bundle) for of_kind in views)
    trained = {"name": bundle.name, "version": bundle.version, "hash": bundle.hash}
    return _judged(forced, alerts, bundle) | {"bundle": trained}


def pooled_forced_supernovae(folds: Sequence[Evidence]) -> Gate:
    """Judge the supernovae of each fold by its bundle, and all of them together.

    Parameters
    ----------
    folds : sequence of Evidence
        Of bundles that met no forced photometry of supernovae.
    """
    of_folds: tuple[list[ByCut], list[ByCut]] = ([], [])
    for evidence in folds:
        for views, of_kind in zip(_unseen_views(evidence), of_folds, strict=True):
            judged = [o for o in views if evidence.is_judged(o.canonical_id)]
            of_kind.append(predict(evidence.examples(judged), evidence.bundle))
    forced, alerts = map(pooled_predictions, of_folds)
    return _judged(forced, alerts, folds[0].bundle) | {"folds": len(folds)}


def _of_cross_validation(path: Path, bundle: Bundle) -> Gate:
    try:
        metrics = orjson.loads(path.read_bytes())
        name, version = metrics["recipe"]["name"], metrics["recipe"]["version"]
        classes, figures = metrics["classes"], metrics["gates"][FORCED_GATE]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        msg = (
            f"{path.parent} is neither a bundle nor a cross-validation that has this gate "
            f"({error}): give that of a recipe with homogenisation.alerts_only"
        )
        raise ConfigError(msg) from error
    if (version, classes) != (bundle.version, list(bundle.classes)):
        return untried(
            f"the cross-validation is of {name} {version} and {len(classes)} classes: give that of "
            f"{bundle.name} {bundle.version}"
        )
    return dict(figures)


def _unseen_views(evidence: Evidence) -> tuple[list[LabelledObject], list[LabelledObject]]:
    """Give forced photometry whose objects' alerts did not train, and the alerts to be judged."""
    supernovae = [o for o in evidence.objects if o.label == SUPERNOVA]
    alerts = preferred_objects([o for o in supernovae if evidence.is_alert(o)])
    met = {o.canonical_id for o in alerts if evidence.has_trained(o.canonical_id)}
    forced = preferred_objects([o for o in supernovae if not evidence.is_alert(o)])
    forced = [o for o in forced if o.canonical_id not in met]
    return forced, [o for o in alerts if evidence.is_judged(o.canonical_id)]


def _judged(forced: ByCut, alerts: ByCut, bundle: Bundle) -> Gate:
    n_forced, n_alerts = (len(kind[FULL].examples) if kind else 0 for kind in (forced, alerts))
    if min(n_forced, n_alerts) < MIN_OBJECTS:
        return untried(f"{n_forced} forced and {n_alerts} alert {SUPERNOVA} are too few")
    year = usual_year(forced[FULL].examples)
    at = {
        cut.key: _forced_figures(forced[cut], alerts[cut], bundle, year)
        for cut in MAIN_CUTS
        if cut in forced and cut in alerts
    }
    return gate(at) | {"year": year}


def _forced_figures(
    forced: Predictions, alerts: Predictions, bundle: Bundle, year: int
) -> dict[str, Any]:
    of_forced, of_alerts = forced.decisions(bundle), alerts.decisions(bundle)
    mistaken_for = [i for i, group in enumerate(of_forced.groups) if group in MISTAKEN_FOR]
    mistaken = np.isin(of_forced.decided, mistaken_for).astype(np.float64)
    right, right_in_alerts = (d.decided == d.target for d in (of_forced, of_alerts))
    in_that_year = right_in_alerts[[year_of(e) == year for e in alerts.examples]]
    rises, rises_in_alerts = (np.array([_rises(e) for e in p.examples]) for p in (forced, alerts))
    difference = right.mean() - right_in_alerts.mean()
    return {
        **_recall("forced", right),
        **_recall("alerts", right_in_alerts),
        "called_agn_or_tde": rounded(mistaken.mean()),
        "called_agn_or_tde_95": mean_interval(mistaken),
        **_recall("alerts_of_that_year", in_that_year),
        **_recall("forced_on_the_rise", right[rises]),
        **_recall("alerts_on_the_rise", right_in_alerts[rises_in_alerts]),
        **_at_same_phase(right, rises, right_in_alerts, rises_in_alerts),
        "recall_difference": rounded(difference),
        "recall_difference_95": difference_interval(
            resampled_means(right.astype(np.float64), seed=1),
            resampled_means(right_in_alerts.astype(np.float64), seed=2),
        ),
        "passed": bool(
            mistaken.mean() <= MAX_MISTAKEN and abs(difference) <= MAX_RECALL_DIFFERENCE
        ),
    }


def _rises(example: Example) -> bool:
    """Whether a light curve begins well before its brightest point: after it, types look alike."""
    curve = example.curves[0]
    return bool(curve.mjd[curve.psf_flux.argmax()] - curve.mjd[0] >= RISE_DAYS)


def _at_same_phase(
    right: NDArray[np.bool_],
    rises: NDArray[np.bool_],
    right_in_alerts: NDArray[np.bool_],
    rises_in_alerts: NDArray[np.bool_],
) -> dict[str, Any]:
    """Compare with alerts weighted so that as many of them are first seen on the rise.

    The interval ignores the uncertainty of the shares of both phases.
    """
    counts = np.bincount(rises_in_alerts, minlength=2)
    if counts.min() < MIN_OBJECTS:
        return {"difference_at_same_phase": None, "difference_at_same_phase_95": [None, None]}
    wanted = np.bincount(rises, minlength=2) / len(rises)
    weighted = (wanted / counts)[rises_in_alerts.astype(np.int64)] * right_in_alerts
    drawn = resamples(rises, seed=1) @ right / len(right)
    return {
        "difference_at_same_phase": rounded(right.mean() - weighted.sum()),
        "difference_at_same_phase_95": difference_interval(
            drawn, resamples(rises_in_alerts, seed=2) @ weighted
        ),
    }


def _recall(of: str, right: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        f"n_{of}": len(right),
        f"recall_{of}": rounded(right.mean()) if len(right) else None,
        f"recall_{of}_95": mean_interval(right.astype(np.float64)),
    }
