"""What a bundle says about labelled light curves, at every cut that they reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.model.bundle import Bundle
from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import Cut, all_cuts, cut_positions
from broker_classifier.training.judge.groups import grouped
from broker_classifier.training.judge.prefix_logits import prefix_logits

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

    def decisions(self, bundle: Bundle) -> Decisions:
        """Decide for a group, under equal priors."""
        found = grouped(self.target, self.probabilities, self.prior, bundle.classes)
        target, joint, group_prior, groups = found
        return Decisions(target, (joint / group_prior).argmax(axis=1), joint, groups)


def predict(examples: Sequence[Example], bundle: Bundle) -> dict[Cut, Predictions]:
    """Classify examples at every cut that they reach."""
    description = bundle.description
    curves = [e.curves[0] for e in examples]
    logits = prefix_logits(bundle.network, curves, description.selection, description.input)
    rows: dict[Cut, list[tuple[Example, int, Floats]]] = {c: [] for c in all_cuts()}
    for example, curve, steps in zip(examples, curves, logits, strict=True):
        for cut, position in cut_positions(curve):
            rows[cut].append((example, position + 1, steps[position]))
    found = {}
    for cut, reached in rows.items():
        if reached:
            who, n_points, last = zip(*reached, strict=True)
            mjd = [(e.curves[0].mjd[0], e.curves[0].mjd[n - 1]) for e, n, _ in reached]
            age = np.diff(mjd)[:, 0]
            probabilities = calibrated_probabilities(
                np.array(last), np.array(n_points), age, description.calibration
            )
            prior = np.broadcast_to(description.calibration.prior, probabilities.shape)
            target = np.array([e.target for e in who])
            found[cut] = Predictions(who, target, probabilities, prior)
    return found


def pooled_predictions(parts: Sequence[Mapping[Cut, Predictions]]) -> dict[Cut, Predictions]:
    """Join the predictions of several bundles, of the same classes, about different objects."""
    pooled = {}
    for cut in all_cuts():
        found = [part[cut] for part in parts if cut in part]
        if found:
            pooled[cut] = Predictions(
                tuple(example for one in found for example in one.examples),
                np.concatenate([one.target for one in found]),
                np.concatenate([one.probabilities for one in found]),
                np.concatenate([one.prior for one in found]),
            )
    return pooled
