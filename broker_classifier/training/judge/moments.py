"""What bundles say of light curves at many moments: at points, and between them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch, LightCurve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.blend_encoder import log_scores
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.inputs import ModelInput
from broker_classifier.model.networks import Network
from broker_classifier.model.networks.blend import Blend
from broker_classifier.model.trees.boosted_trees import BoostedTrees
from broker_classifier.model.trees.prefix_features import Features, prefix_features
from broker_classifier.training.judge.prefix_logits import prefix_logits

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Moments(NamedTuple):
    """When answers about light curves are wanted.

    Attributes
    ----------
    curve : int array, shape (n,)
        Position of the light curve.
    n_points : int array, shape (n,)
        How many of its points are there by then.
    asked_mjd : float array, shape (n,)
    """

    curve: Integers
    n_points: Integers
    asked_mjd: Floats

    def take(self, index: Integers) -> "Moments":
        """Keep some."""
        return Moments(self.curve[index], self.n_points[index], self.asked_mjd[index])

    def age_days(self, curves: Sequence[LightCurve], *, hears_silence: bool) -> Floats:
        """Give the days since the first point, up to the answer or to the last point before it."""
        batch = CurveBatch.of(curves)
        mjd, first = batch.points["mjd"], batch.starts[self.curve]
        last = self.asked_mjd if hears_silence else mjd[first + self.n_points - 1]
        return np.asarray(last - mjd[first])


def joined_moments(parts: Sequence[Moments]) -> Moments:
    """Put moments one after another."""
    return Moments(*map(np.concatenate, zip(*parts, strict=True)))


def tree_rows(
    curves: Sequence[LightCurve], moments: Moments, selection: Selection, settings: Features
) -> NDArray[np.float32]:
    """Compute the features at moments, shape (n, n_features)."""
    batch = CurveBatch.of(curves)
    first = batch.starts[moments.curve]
    stop, asked = first + moments.n_points, moments.asked_mjd
    return prefix_features(batch.points, first, stop, asked, selection.bands, settings)


def network_logits(
    network: Network,
    curves: Sequence[LightCurve],
    moments: Moments,
    selection: Selection,
    model_input: ModelInput,
) -> Floats:
    """Compute a network's logits at moments of light curves made of used points only, (n, K)."""
    if isinstance(network, BoostedTrees):
        assert isinstance(model_input, Features)
        return network.run(tree_rows(curves, moments, selection, model_input)).astype(np.float64)
    steps = prefix_logits(network, curves, selection, model_input)
    at = zip(moments.curve.tolist(), moments.n_points.tolist(), strict=True)
    return np.array([steps[curve][n - 1] for curve, n in at])


def bundle_logits(bundle: Bundle, curves: Sequence[LightCurve], moments: Moments) -> Floats:
    """Compute a bundle's logits at moments of light curves made of used points only, (n, K)."""
    if isinstance(bundle.network, Blend):
        scores = np.array([member_scores(m, curves, moments) for m in bundle.members])
        return bundle.network.joined(scores, moments.n_points)
    settings = bundle.selection, bundle.description.input
    return network_logits(bundle.network, curves, moments, *settings)


def member_scores(bundle: Bundle, curves: Sequence[LightCurve], moments: Moments) -> Floats:
    """Compute the log scores that a bundle brings into a blend, (n, K)."""
    logits = bundle_logits(bundle, curves, moments)
    age = moments.age_days(curves, hears_silence=bundle.encoder.hears_silence)
    return log_scores(logits, moments.n_points, age, bundle.description.calibration)
