"""Fitting the calibration to validation objects, at every prefix of their light curves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from broker_classifier.model.calibration import Calibration, age_shares, node_shares
from broker_classifier.training.fit.prefix_weights import day_weights, rank_weights

N_POINTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0)
AGE_DAYS = (0.0, 3.0, 10.0, 30.0, 100.0)
RANK_DECAY = 1.0
SMOOTHNESS = 0.02
OFFSET_SIGMA = 0.3
STEPS = 300

Floats = NDArray[np.float64]


class Asked(NamedTuple):
    """Answers to be calibrated, N of them, about validation objects.

    Attributes
    ----------
    logits : float array, shape (N, K)
    target, n_points : int array, shape (N,)
    age_days : float array, shape (N,)
        From the first point to the answer.
    weight : float array, shape (N,)
        Sums to 1.
    n_objects : int
    """

    logits: Floats
    target: NDArray[np.int64]
    n_points: NDArray[np.int64]
    age_days: Floats
    weight: Floats
    n_objects: int


class _Prefixes(NamedTuple):
    """Every prefix of all light curves, N of them."""

    log_likelihood: torch.Tensor  # (N, K), the logits under equal priors
    target: torch.Tensor  # (N,)
    share: torch.Tensor  # (N, nodes), of N_POINTS and then of AGE_DAYS
    weight: torch.Tensor  # (N,), sums to 1


def fit_calibration(
    logits: Sequence[Floats],
    target: Sequence[int],
    prior: Floats,
    class_weights: Floats,
    age_days: Sequence[Floats],
    n_before: Sequence[int] = (),
) -> Calibration:
    """Find the temperatures and offsets with the best likelihood under the natural prior.

    Parameters
    ----------
    logits : sequence of float array, shape (n_points, K)
        Of validation objects.
    target : sequence of int
    prior : float array, shape (K,)
        Class frequencies of the training objects.
    class_weights : float array, shape (K,)
        Weights of the training loss: they made the trained prior `prior * class_weights`.
    age_days : sequence of float array, shape (n_points,)
        Days since the first point of each light curve.
    n_before : sequence of int, optional
        Points at the beginning of each light curve that do not count: those before its detection.

    Notes
    -----
    Half of the weight is spread over prefixes by their rank (the n-th counts 1/n), half by
    `day_weights`.
    Differences of ln T between neighbouring nodes are penalised. Offsets have a Gaussian prior of
    width 0.3: a class with a handful of validation objects keeps the network's probabilities.
    """
    first = list(n_before) or [0] * len(logits)
    return calibration_of(_at_points(logits, target, age_days, first), prior, class_weights)


def calibration_of(asked: Asked, prior: Floats, class_weights: Floats) -> Calibration:
    """Find the calibration of answers that were asked for at any moments; see `fit_calibration`."""
    log_trained_prior = np.log(prior * class_weights)
    log_trained_prior -= log_trained_prior.mean()
    shares = [node_shares(asked.n_points, N_POINTS), age_shares(asked.age_days, AGE_DAYS)]
    prefixes = _Prefixes(
        torch.from_numpy(asked.logits - log_trained_prior),
        torch.from_numpy(asked.target),
        torch.from_numpy(np.concatenate(shares, axis=1)),
        torch.from_numpy(asked.weight),
    )
    temperature, offset = _fitted(prefixes, prior, asked.n_objects)
    n = len(N_POINTS)
    return Calibration(
        prior=tuple(prior.tolist()),
        log_trained_prior=tuple(log_trained_prior.round(6).tolist()),
        n_points=N_POINTS,
        temperature=tuple(temperature[:n].tolist()),
        offset=tuple(tuple(row) for row in offset[:n].tolist()),
        age_days=AGE_DAYS,
        age_temperature=tuple(temperature[n:].tolist()),
        age_offset=tuple(tuple(row) for row in offset[n:].tolist()),
    )


def _at_points(
    logits: Sequence[Floats],
    target: Sequence[int],
    age_days: Sequence[Floats],
    first: Sequence[int],
) -> Asked:
    """Ask at every point that counts."""
    rows = [of_curve[n:] for of_curve, n in zip(logits, first, strict=True)]
    age = [days[n:] for days, n in zip(age_days, first, strict=True)]
    length = [len(of_curve) for of_curve in rows]
    n_points = np.concatenate(
        [before + np.arange(1, k + 1) for before, k in zip(first, length, strict=True)]
    )
    by_rank = np.concatenate([rank_weights(k, decay=RANK_DECAY) for k in length])
    by_days = np.concatenate([day_weights(days - days[0]) for days in age if len(days)])
    weight = (by_rank / by_rank.sum() + by_days / by_days.sum()) / 2
    labels, ages = np.repeat(np.array(target), length), np.concatenate(age)
    return Asked(np.concatenate(rows), labels, n_points, ages, weight, len(logits))


def _fitted(prefixes: _Prefixes, prior: Floats, n_objects: int) -> tuple[Floats, Floats]:
    """Fit temperatures, (nodes,), and offsets, (nodes, K)."""
    log_prior, n = torch.from_numpy(np.log(prior)), len(N_POINTS)
    share, nodes = prefixes.share, prefixes.share.shape[1]
    log_temperature = torch.zeros(nodes, dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(nodes, len(prior), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([log_temperature, offset], lr=0.02)
    for _ in range(STEPS):
        at_nodes = torch.exp(log_temperature)
        temperature = (share[:, :n] @ at_nodes[:n]) * (share[:, n:] @ at_nodes[n:])
        joint = prefixes.log_likelihood / temperature[:, None] + share @ offset + log_prior
        loss = (prefixes.weight * cross_entropy(joint, prefixes.target, reduction="none")).sum()
        for neighbours in (log_temperature[:n], log_temperature[n:]):
            loss = loss + SMOOTHNESS * neighbours.diff().square().sum()
        loss = loss + offset.square().sum() / (2 * OFFSET_SIGMA**2 * n_objects)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return at_nodes.detach().numpy().round(4), offset.detach().numpy().round(4)
