"""The calibration of a network that has just been trained."""

from collections.abc import Sequence

import numpy as np

from broker_classifier.model.calibration import Calibration
from broker_classifier.model.networks import Network
from broker_classifier.model.trees.boosted_trees import BoostedTrees
from broker_classifier.training.fit.fit_calibration import Asked, calibration_of, fit_calibration
from broker_classifier.training.fit.fit_network import class_frequencies, class_weights
from broker_classifier.training.fit.tree_rows import calibration_moments
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import n_before_detection
from broker_classifier.training.judge.moments import network_logits
from broker_classifier.training.judge.prefix_logits import prefix_logits
from broker_classifier.training.recipe import Recipe


def network_calibration(
    network: Network,
    training: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    seed: int,
) -> Calibration:
    """Calibrate a network on validation objects: at points, and between them if it hears silence.

    The seed is of the times between points.
    """
    prior = class_frequencies(training, len(recipe.classes))
    weights = class_weights(prior, recipe.optimisation.class_weight_exponent)
    curves, target = [e.curves[0] for e in validation], [e.target for e in validation]
    settings = recipe.selection, recipe.normalisation
    if not isinstance(network, BoostedTrees):
        logits = prefix_logits(network, curves, *settings)
        age = [curve.mjd - curve.mjd[0] for curve in curves]
        n_before = [n_before_detection(curve) for curve in curves]
        return fit_calibration(logits, target, prior, weights, age, n_before)
    moments, weight = calibration_moments(curves, np.random.default_rng(seed))
    asked = Asked(
        network_logits(network, curves, moments, *settings),
        np.array(target)[moments.curve],
        moments.n_points,
        moments.age_days(curves, hears_silence=True),
        weight,
        len(curves),
    )
    return calibration_of(asked, prior, weights)
