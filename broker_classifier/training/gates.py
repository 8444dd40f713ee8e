"""The provenance gates: a class must be judged alike wherever its light curves come from.

Supernovae come from alerts, AGN and most TDE from forced photometry, so a network could learn the
source instead of the sky, and an ordinary test score would not show it. Three gates would:

- forced_supernovae: a network that met no forced photometry of supernovae in training calls few of
  these AGN or TDE, and finds as many SNIa in them as in alerts;
- source_probe: within SNIa, the source is told no better than the year within one source;
- two_pipelines: an object reduced by two pipelines keeps its probabilities.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from broker_classifier.bundle import Bundle
from broker_classifier.training.bootstrap import mean_interval
from broker_classifier.training.evidence import (
    MIN_OBJECTS,
    VERDICT_CUTS,
    Evidence,
    Gate,
    gate,
    name_of_cut,
    pairs_of_views,
    untried,
)
from broker_classifier.training.examples import Example
from broker_classifier.training.gate_of_forced import FORCED_GATE, forced_supernovae
from broker_classifier.training.gate_of_source import source_probe
from broker_classifier.training.metrics import rounded
from broker_classifier.training.predictions import Predictions, predict

MAX_SHIFT = 0.05


def provenance_gates(evidence: Evidence, gate_folder: Path | None = None) -> dict[str, Gate]:
    """Pass every gate, or say why it could not be tried.

    Parameters
    ----------
    evidence : Evidence
    gate_folder : path, optional
        A bundle that met no forced photometry of supernovae, or the cross-validation of such.

    Returns
    -------
    dict of str to dict
        `passed` is None for a gate that could not be tried, and `reason` says why.
    """
    if not any(o.names_source or o.is_forced is not None for o in evidence.objects):
        unknown = untried("the data do not say where their light curves come from")
        return dict.fromkeys((FORCED_GATE, "source_probe", "two_pipelines"), unknown)
    return {
        FORCED_GATE: forced_supernovae(evidence, gate_folder),
        "source_probe": source_probe(evidence),
        "two_pipelines": _two_pipelines(evidence),
    }


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
    for cut in VERDICT_CUTS:
        if cut in first and cut in second:
            figures = _shift_figures(first[cut], second[cut], evidence.bundle)
            at.update({name_of_cut(cut): figures} if figures else {})
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
