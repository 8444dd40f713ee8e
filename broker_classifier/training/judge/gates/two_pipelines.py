"""The gate that asks whether an object reduced by two pipelines keeps its probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from broker_classifier.model.bundle import Bundle
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.bootstrap import mean_interval
from broker_classifier.training.judge.cuts import MAIN_CUTS
from broker_classifier.training.judge.gates.evidence import (
    MIN_OBJECTS,
    Evidence,
    Gate,
    gate,
    pairs_of_views,
    untried,
)
from broker_classifier.training.judge.predictions import Predictions, predict
from broker_classifier.training.judge.scores import rounded

MAX_SHIFT = 0.05


def two_pipelines(evidence: Evidence) -> Gate:
    """Compare the probabilities of objects that two pipelines have reduced."""
    pairs = pairs_of_views(evidence)
    unseen = [pair for pair in pairs if not evidence.has_trained(pair[0].canonical_id)]
    if len(unseen) < MIN_OBJECTS:
        return untried(f"{len(unseen)} objects with views of two pipelines are too few")
    at = _shifts(unseen, evidence)
    return gate(at) | {"with_objects_that_trained": _shifts(pairs, evidence)}


def _shifts(pairs: Sequence[tuple[Example, Example]], evidence: Evidence) -> dict[str, Any]:
    first, second = (predict([pair[i] for pair in pairs], evidence.bundle) for i in (0, 1))
    at = {}
    for cut in MAIN_CUTS:
        if cut in first and cut in second:
            figures = _shift_figures(first[cut], second[cut], evidence.bundle)
            at.update({cut.key: figures} if figures else {})
    return at


def _shift_figures(first: Predictions, second: Predictions, bundle: Bundle) -> dict[str, Any]:
    """Compare the pairs of which both views reach the cut."""
    place = {e.canonical_id: i for i, e in enumerate(second.examples)}
    in_first = [i for i, e in enumerate(first.examples) if e.canonical_id in place]
    if len(in_first) < MIN_OBJECTS:
        return {}
    in_second = [place[first.examples[i].canonical_id] for i in in_first]
    before, after = first.decisions(bundle), second.decisions(bundle)
    shift = after.joint[in_second] - before.joint[in_first]
    means = shift.mean(axis=0)
    largest = int(np.abs(means).argmax())
    agree = (after.decided[in_second] == before.decided[in_first]).astype(np.float64)
    distance = np.abs(shift).sum(axis=1) / 2
    return {
        "n": len(in_first),
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
