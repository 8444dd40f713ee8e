"""What a bundle says about labelled light curves, at every cut that they reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.model.bundle import Bundle
from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import Cut, all_cuts, asked_mjd, cut_positions
from broker_classifier.training.judge.groups import grouped
from broker_classifier.training.judge.moments import Moments, bundle_logits

Floats = NDArray[np.float64]


class Decisions(NamedTuple):
    """The groups that are decided for, under equal priors.

    Attributes
    ----------
    target, decided : int array, shape (n,)
    joint : float array, shape (n, G)
        Probabilities of the groups, under the natural prior.
    groups : list of str
    """

    target: NDArray[np.int64]
    decided: NDArray[np.int64]
    joint: Floats
    groups: list[str]


@dataclass(frozen=True)
class Predictions:
    """What a bundle says at one cut about the objects that reach it.

    Attributes
    ----------
    examples : tuple of Example
    target : int array, shape (n,)
    probabilities, prior : float array, shape (n, K)
        Under the natural prior, and that of the bundle which said so.
    """

    examples: tuple[Example, ...]
    target: NDArray[np.int64]
    probabilities: Floats
    prior: Floats

    def take(self, index: NDArray[np.int64]) -> "Predictions":
        """Keep some."""
        return Predictions(
            tuple(self.examples[i] for i in index.tolist()),
            self.target[index],
            self.probabilities[index],
            self.prior[index],
        )

    def decisions(self, bundle: Bundle) -> Decisions:
        """Decide for a group, under equal priors."""
        answers = self.target, self.probabilities, self.prior
        target, joint, group_prior, groups = grouped(*answers, bundle.classes)
        return Decisions(target, (joint / group_prior).argmax(axis=1), joint, groups)


def predict(examples: Sequence[Example], bundle: Bundle) -> dict[Cut, Predictions]:
    """Classify examples at every cut that they reach; no cut is reached without any example."""
    if not examples:
        return {}
    calibration, curves = bundle.description.calibration, [e.curves[0] for e in examples]
    rows = [
        (i, cut, position + 1, asked_mjd(cut, curve, position))
        for i, curve in enumerate(curves)
        for cut, position in cut_positions(curve)
    ]
    who, cuts, n_points, asked = zip(*rows, strict=True)
    moments = Moments(np.array(who), np.array(n_points), np.array(asked))
    logits = bundle_logits(bundle, curves, moments)
    age = moments.age_days(curves, hears_silence=bundle.encoder.hears_silence)
    probabilities = calibrated_probabilities(logits, moments.n_points, age, calibration)
    predictions = {}
    for cut in all_cuts():
        at_cut = np.flatnonzero([c == cut for c in cuts])
        if len(at_cut):
            reached = tuple(examples[who[i]] for i in at_cut.tolist())
            prior = np.broadcast_to(calibration.prior, (len(at_cut), len(bundle.classes)))
            target = np.array([e.target for e in reached])
            predictions[cut] = Predictions(reached, target, probabilities[at_cut], prior)
    return predictions


def pooled_predictions(parts: Sequence[Mapping[Cut, Predictions]]) -> dict[Cut, Predictions]:
    """Join the predictions of several bundles, of the same classes, about different objects."""
    pooled = {}
    for cut in all_cuts():
        at_cut = [part[cut] for part in parts if cut in part]
        if at_cut:
            pooled[cut] = Predictions(
                tuple(example for part in at_cut for example in part.examples),
                np.concatenate([part.target for part in at_cut]),
                np.concatenate([part.probabilities for part in at_cut]),
                np.concatenate([part.prior for part in at_cut]),
            )
    return pooled
