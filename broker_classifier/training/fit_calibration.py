"""Fitting temperature and offsets to validation objects, at every prefix of their light curves."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.calibration import Calibration, node_shares

N_POINTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0)
SMOOTHNESS = 0.02
OFFSET_SIGMA = 0.3
STEPS = 300


def fit_calibration(
    logits: Sequence[NDArray[np.float64]],
    target: Sequence[int],
    prior: NDArray[np.float64],
    class_weights: NDArray[np.float64],
    n_before: Sequence[int] = (),
) -> Calibration:
    """Find the temperatures and offsets with the best likelihood under the natural prior.

    Parameters
    ----------
    logits : sequence of float array, shape (n_points, K)
        Of validation objects; the n-th prefix counts 1/n, whatever the light curve's length.
    target : sequence of int
    prior : float array, shape (K,)
        Class frequencies of the training objects.
    class_weights : float array, shape (K,)
        Weights of the training loss: they made the trained prior `prior * class_weights`.
    n_before : sequence of int, optional
        First points of each light curve that do not count, because no detection has been made.

    Notes
    -----
    Differences of ln T between neighbouring nodes are penalised. Offsets have a Gaussian prior of
    width 0.3, so that a class with a handful of validation objects keeps what the network says.
    """
    log_trained_prior = np.log(prior * class_weights)
    log_trained_prior -= log_trained_prior.mean()
    skipped = list(n_before) or [0] * len(logits)
    counted = [rows[first:] for rows, first in zip(logits, skipped, strict=True)]
    repeats = [len(rows) for rows in counted]
    rank = np.concatenate([np.arange(1, length + 1) for length in repeats])
    n = rank + np.repeat(skipped, repeats)
    balanced = torch.from_numpy(np.concatenate(counted) - log_trained_prior)
    targets = torch.from_numpy(np.repeat(np.array(target), repeats))
    share = torch.from_numpy(node_shares(n, N_POINTS))  # (N, nodes)
    weight, log_prior = torch.from_numpy(1.0 / rank), torch.from_numpy(np.log(prior))
    log_temperature = torch.zeros(len(N_POINTS), dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(len(N_POINTS), len(prior), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([log_temperature, offset], lr=0.02)
    for _ in range(STEPS):
        temperature = share @ torch.exp(log_temperature)
        joint = balanced / temperature[:, None] + share @ offset + log_prior
        losses = torch.nn.functional.cross_entropy(joint, targets, reduction="none")
        loss = (weight * losses).sum() / weight.sum()
        loss = loss + SMOOTHNESS * log_temperature.diff().square().sum()
        loss = loss + offset.square().sum() / (2 * OFFSET_SIGMA**2 * len(repeats))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return Calibration(
        prior=tuple(prior.tolist()),
        log_trained_prior=tuple(log_trained_prior.round(6).tolist()),
        n_points=N_POINTS,
        temperature=tuple(torch.exp(log_temperature).detach().numpy().round(4).tolist()),
        offset=tuple(tuple(row) for row in offset.detach().numpy().round(4).tolist()),
    )
