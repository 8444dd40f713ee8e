"""Fitting what the members of a blend count for, and the calibration of what they say together."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from broker_classifier.model.bundle import Bundle
from broker_classifier.model.calibration import Calibration, node_shares
from broker_classifier.model.networks.blend import N_POINTS, Blend, BlendConfig
from broker_classifier.training.fit.fit_calibration import Asked, calibration_of
from broker_classifier.training.fit.tree_rows import calibration_moments
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.moments import member_scores
from broker_classifier.training.recipe import Recipe

SMOOTHNESS = 0.02
STEPS = 300

Floats = NDArray[np.float64]


def fit_blend(
    members: Sequence[Bundle], validation: Sequence[Example], recipe: Recipe, seed: int
) -> tuple[Blend, Calibration]:
    """Fit weights and calibration to validation objects, asked at detections and between them.

    Parameters
    ----------
    members : sequence of Bundle
        Of the same classes and prior.
    validation : sequence of Example
        Objects that no member was trained on.
    recipe : Recipe
        Of the blend.
    seed : int
        Of the times.
    """
    prior = np.array(members[0].description.calibration.prior)
    curves = [e.curves[0] for e in validation]
    moments, weight = calibration_moments(curves, np.random.default_rng(seed))
    target = np.array([e.target for e in validation])[moments.curve]
    scores = np.array([member_scores(m, curves, moments) for m in members])  # (M, N, K)
    config = {**recipe.network_config(), "n_members": len(members)}
    network = Blend(BlendConfig.model_validate(config))
    shares = node_shares(moments.n_points, N_POINTS)
    network.weight.copy_(_fitted(scores, target, shares, weight, prior))
    logits = network.joined(scores, moments.n_points)
    age = moments.age_days(curves, hears_silence=True)
    asked = Asked(logits, target, moments.n_points, age, weight, len(validation))
    return network.eval(), calibration_of(asked, prior, 1.0 / prior)


def _fitted(
    scores: Floats, target: NDArray[np.int64], shares: Floats, weight: Floats, prior: Floats
) -> torch.Tensor:
    """Find the weights of the members at each node, (nodes, M), that make the least log loss.

    They are positive; differences of their logarithms between neighbouring nodes are penalised.
    """
    n_members, n_nodes = len(scores), shares.shape[1]
    log_score, at_node = torch.from_numpy(scores), torch.from_numpy(shares)
    label, part = torch.from_numpy(target), torch.from_numpy(weight)
    log_prior = torch.from_numpy(np.log(prior))
    start = torch.full((n_nodes, n_members), -float(np.log(n_members)), dtype=torch.float64)
    log_weight = start.requires_grad_()
    optimiser = torch.optim.Adam([log_weight], lr=0.03)
    for _ in range(STEPS):
        by_row = at_node @ torch.exp(log_weight)  # (N, M)
        joint = torch.einsum("nm,mnk->nk", by_row, log_score) + log_prior
        loss = (part * cross_entropy(joint, label, reduction="none")).sum()
        loss = loss + SMOOTHNESS * log_weight.diff(dim=0).square().sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return torch.exp(log_weight).detach().round(decimals=4)
