"""The training loss of a grid network: of each light curve it gets one prefix at a time."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from broker_classifier.light_curve import LightCurve
from broker_classifier.model.networks import Network
from broker_classifier.training.fit.prefix_weights import rank_weights
from broker_classifier.training.judge.prefix_logits import device_of, network_input
from broker_classifier.training.recipe import Recipe


def grid_loss(
    network: Network,
    curves: Sequence[LightCurve],
    target: torch.Tensor,
    weights: torch.Tensor,
    recipe: Recipe,
    random: np.random.Generator,
) -> torch.Tensor:
    """Estimate the loss over all prefixes of a batch from one prefix of each light curve.

    The n-th prefix is drawn in proportion to its weight, n^-prefix_decay, and the light curve
    counts as much as all its prefixes together: on average this is the streaming network's loss.

    Parameters
    ----------
    curves : sequence of LightCurve, B of them
    target, weights : (B,)
        Classes, and weights in the loss.
    """
    lengths = [len(curve) for curve in curves]
    by_rank = [rank_weights(n, recipe.optimisation.prefix_decay) for n in lengths]
    drawn = [random.choice(len(w), p=w / w.sum()) + 1 for w in by_rank]
    prefixes = [LightCurve(c.points[:n]) for c, n in zip(curves, drawn, strict=True)]
    device = device_of(network)
    inputs = network_input(prefixes, recipe.selection, recipe.normalisation)
    logits, _ = network(inputs.to(device))
    each = cross_entropy(logits, target.to(device), reduction="none")
    total = torch.tensor([float(w.sum()) for w in by_rank], device=device)
    return (each * total * weights.to(device)).sum() / len(curves)
