"""The provenance gates: a class must be judged alike wherever its light curves come from.

Supernovae come from alerts, AGN and most TDE from forced photometry, so a network could learn the
source instead of the sky, and an ordinary test score would not show it. Three gates would:

- forced_supernovae: a network that met no forced photometry of supernovae in training calls few of
  these AGN or TDE, and finds as many SNIa in them as in alerts;
- source_probe: within SNIa, the source is told no better than the year within one source;
- two_pipelines: an object reduced by two pipelines keeps its probabilities.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.bundle import Bundle, load_bundle
from broker_classifier.training.bootstrap import difference_interval, mean_interval, resamples
from broker_classifier.training.cuts import Cut
from broker_classifier.training.evidence import (
    SUPERNOVA,
    Evidence,
    Gate,
    gate,
    pairs_of_views,
    untried,
    usual_year,
    year_of,
)
from broker_classifier.training.examples import Example
from broker_classifier.training.gate_of_source import source_probe
from broker_classifier.training.homogenise import read_homogenisation
from broker_classifier.training.metrics import rounded
from broker_classifier.training.objects import preferred_objects
from broker_classifier.training.predictions import Predictions, predict

MISTAKEN_FOR = ("AGN", "TDE")
MAX_MISTAKEN = 0.12
MAX_RECALL_DIFFERENCE = 0.08
MAX_SHIFT = 0.05
MIN_OBJECTS = 5
RISE_DAYS = 5.0
CUTS = (Cut("by_detections", "3"), Cut("by_detections", "10"), Cut("full", ""))


def provenance_gates(evidence: Evidence, gate_bundle: Path | None = None) -> dict[str, Gate]:
    """Pass every gate, or say why it could not be tried.

    Returns
    -------
    dict of str to dict
        `passed` is None for a gate that could not be tried, and `reason` says why.
    """
    if not any(o.names_source or o.is_forced is not None for o in evidence.objects):
        unknown = untried("the data do not say where their light curves come from")
        return dict.fromkeys(("forced_supernovae", "source_probe", "two_pipelines"), unknown)
    return {
        "forced_supernovae": _forced_supernovae(evidence, gate_bundle),
        "source_probe": source_probe(evidence),
        "two_pipelines": _two_pipelines(evidence),
    }


def _forced_supernovae(evidence: Evidence, gate_bundle: Path | None) -> Gate:
    if gate_bundle is not None:
        met_none, rules = load_bundle(gate_bundle), read_homogenisation(gate_bundle)
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
    known = [o for o in evidence.objects if o.label == SUPERNOVA]
    alerts = preferred_objects([o for o in known if evidence.is_alert(o)])
    seen = {o.canonical_id for o in alerts}
    forced = preferred_objects([o for o in known if not evidence.is_alert(o)])
    met = {name for name in seen if evidence.has_trained(name)}
    forced = [o for o in forced if o.canonical_id not in met]
    alerts = [o for o in alerts if evidence.is_judged(o.canonical_id)]
    if min(len(forced), len(alerts)) < MIN_OBJECTS:
        return untried(f"{len(forced)} forced and {len(alerts)} alert {SUPERNOVA} are too few")
    both = [predict(evidence.examples(part), bundle) for part in (forced, alerts)]
    year = usual_year(both[0][Cut("full", "")].examples)
    at = {
        _name(cut): _forced_figures(both[0][cut], both[1][cut], bundle, year)
        for cut in CUTS
        if cut in both[0] and cut in both[1]
    }
    trained = {"bundle": {"name": bundle.name, "version": bundle.version, "hash": bundle.hash}}
    return gate(at) | trained | {"year": year}


def _forced_figures(
    forced: Predictions, alerts: Predictions, bundle: Bundle, year: int
) -> dict[str, Any]:
    one, other = forced.decisions(bundle), alerts.decisions(bundle)
    mistaken_for = [i for i, group in enumerate(one.groups) if group in MISTAKEN_FOR]
    mistaken = np.isin(one.decided, mistaken_for).astype(np.float64)
    found, found_in_alerts = one.decided == one.target, other.decided == other.target
    in_that_year = found_in_alerts[[year_of(e) == year for e in alerts.examples]]
    rises, rises_in_alerts = (np.array([_rises(e) for e in p.examples]) for p in (forced, alerts))
    difference = found.mean() - found_in_alerts.mean()
    return {
        **_recall("forced", found),
        **_recall("alerts", found_in_alerts),
        "called_agn_or_tde": rounded(mistaken.mean()),
        "called_agn_or_tde_95": mean_interval(mistaken),
        **_recall("alerts_of_that_year", in_that_year),
        **_recall("forced_on_the_rise", found[rises]),
        **_recall("alerts_on_the_rise", found_in_alerts[rises_in_alerts]),
        **_at_same_phase(found, rises, found_in_alerts, rises_in_alerts),
        "recall_difference": rounded(difference),
        "recall_difference_95": difference_interval(
            _means(found, seed=1), _means(found_in_alerts, seed=2)
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
    found: NDArray[np.bool_],
    rises: NDArray[np.bool_],
    found_in_alerts: NDArray[np.bool_],
    rises_in_alerts: NDArray[np.bool_],
) -> dict[str, Any]:
    """Compare with alerts weighted so that as many of them are first seen on the rise.

    The interval takes the shares of both phases as known.
    """
    counts = np.bincount(rises_in_alerts, minlength=2)
    if counts.min() < MIN_OBJECTS:
        return {"difference_at_same_phase": None, "difference_at_same_phase_95": [None, None]}
    wanted = np.bincount(rises, minlength=2) / len(rises)
    weighted = (wanted / counts)[rises_in_alerts.astype(np.int64)] * found_in_alerts
    drawn = resamples(rises, seed=1) @ found / len(found)
    return {
        "difference_at_same_phase": rounded(found.mean() - weighted.sum()),
        "difference_at_same_phase_95": difference_interval(
            drawn, resamples(rises_in_alerts, seed=2) @ weighted
        ),
    }


def _recall(of: str, found: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        f"n_{of}": len(found),
        f"recall_{of}": rounded(found.mean()) if len(found) else None,
        f"recall_{of}_95": mean_interval(found.astype(np.float64)),
    }


def _means(values: NDArray[np.bool_], seed: int) -> NDArray[np.float64]:
    counts = resamples(np.zeros(len(values), dtype=np.int64), seed)
    return np.asarray(counts @ values.astype(np.float64) / len(values))


def _two_pipelines(evidence: Evidence) -> Gate:
    pairs = pairs_of_views(evidence)
    unseen = [pair for pair in pairs if not evidence.has_trained(pair[0].canonical_id)]
    if len(unseen) < MIN_OBJECTS:
        return untried(f"{len(unseen)} objects with views of two pipelines are too few")
    at = _shifts(unseen, evidence)
    return gate(at) | {"with_objects_that_trained": _shifts(pairs, evidence)}


def _shifts(pairs: Sequence[tuple[Example, Example]], evidence: Evidence) -> dict[str, Any]:
    first, second = (predict([pair[i] for pair in pairs], evidence.bundle) for i in (0, 1))
    at = {}
    for cut in CUTS:
        if cut in first and cut in second:
            figures = _shift_figures(first[cut], second[cut], evidence.bundle)
            at.update({_name(cut): figures} if figures else {})
    return at


def _shift_figures(first: Predictions, second: Predictions, bundle: Bundle) -> dict[str, Any]:
    """Compare the pairs of which both views reach the cut."""
    place = {e.canonical_id: i for i, e in enumerate(second.examples)}
    mine = [i for i, e in enumerate(first.examples) if e.canonical_id in place]
    if len(mine) < MIN_OBJECTS:
        return {}
    theirs = [place[first.examples[i].canonical_id] for i in mine]
    before, after = first.decisions(bundle), second.decisions(bundle)
    shift = after.joint[theirs] - before.joint[mine]
    means = shift.mean(axis=0)
    largest = int(np.abs(means).argmax())
    agree = (after.decided[theirs] == before.decided[mine]).astype(np.float64)
    distance = np.abs(shift).sum(axis=1) / 2
    return {
        "n": len(mine),
        "mean_shift": dict(zip(before.groups, map(rounded, means), strict=True)),
        "mean_shift_95": dict(zip(before.groups, map(mean_interval, shift.T), strict=True)),
        "largest_mean_shift": rounded(means[largest]),
        "of_group": before.groups[largest],
        "largest_mean_shift_95": mean_interval(shift[:, largest]),
        "mean_distance": rounded(distance.mean()),
        "mean_distance_95": mean_interval(distance),
        "same_decision": rounded(agree.mean()),
        "same_decision_95": mean_interval(agree),
        "passed": bool(abs(means[largest]) <= MAX_SHIFT),
    }


def _name(cut: Cut) -> str:
    return "_".join(part for part in cut if part)
