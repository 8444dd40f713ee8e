"""Fitting the temperature to validation objects, at every prefix of their light curves."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.calibration import Calibration

N_POINTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0)
SMOOTHNESS = 0.02
STEPS = 300


def fit_calibration(
    logits: Sequence[NDArray[np.float64]],
    target: Sequence[int],
    prior: NDArray[np.float64],
    class_weights: NDArray[np.float64],
) -> Calibration:
    """Find the temperatures with the best likelihood under the natural prior.

    Parameters
    ----------
    logits : sequence of float array, shape (n_points, K)
        Of validation objects; the n-th prefix counts 1/n, whatever the light curve's length.
    target : sequence of int
    prior : float array, shape (K,)
        Class frequencies of the training objects.
    class_weights : float array, shape (K,)
        Weights of the training loss: they made the trained prior `prior * class_weights`.

    Notes
    -----
    Neighbouring nodes are held together by a penalty on differences of ln T.
    """
    log_trained_prior = np.log(prior * class_weights)
    log_trained_prior -= log_trained_prior.mean()
    n = np.concatenate([np.arange(1, len(rows) + 1) for rows in logits])
    balanced = torch.from_numpy(np.concatenate(list(logits)) - log_trained_prior)
    repeats = [len(rows) for rows in logits]
    targets = torch.from_numpy(np.repeat(np.array(target), repeats))
    weight = torch.from_numpy(1.0 / n)
    share = torch.from_numpy(_node_shares(n))  # (N, nodes)
    log_prior = torch.from_numpy(np.log(prior))
    log_temperature = torch.zeros(len(N_POINTS), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([log_temperature], lr=0.02)
    for _ in range(STEPS):
        temperature = share @ torch.exp(log_temperature)
        log_posterior = torch.log_softmax(balanced / temperature[:, None] + log_prior, dim=1)
        loss = -(weight * log_posterior.gather(1, targets[:, None])[:, 0]).sum() / weight.sum()
        loss = loss + SMOOTHNESS * log_temperature.diff().square().sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return Calibration(
        prior=tuple(prior.tolist()),
        log_trained_prior=tuple(log_trained_prior.round(6).tolist()),
        n_points=N_POINTS,
        temperature=tuple(torch.exp(log_temperature).detach().numpy().round(4).tolist()),
    )


def _node_shares(n: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights of the nodes in the interpolation at n points, shape (N, nodes)."""
    nodes = np.log(N_POINTS)
    unit = np.eye(len(nodes))
    return np.stack([np.interp(np.log(n), nodes, row) for row in unit], axis=1)
