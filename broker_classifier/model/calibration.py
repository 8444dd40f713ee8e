"""From a network's logits to probabilities that can be taken at their word.

A network trained with class weights w predicts a posterior under the prior n·w. Its logits are
first taken to equal priors, then divided by a temperature and shifted by an offset per class that
both depend on how many points were used and on how long ago the first was, then multiplied by the
natural prior: the class frequencies of the training objects. So `probabilities / prior`,
normalised, is the posterior under equal priors.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from broker_classifier.compiled import FLOAT64_ROWS, FLOAT64S, cached_for, compiled


class Calibration(BaseModel):
    """Constants of the calibration, as they stand in `bundle.json`.

    Attributes
    ----------
    prior : tuple of float, one per class
        Natural prior, sums to 1.
    log_trained_prior : tuple of float, one per class
        ln of the prior that the class weights of the training imply; up to a constant.
    n_points, temperature : tuple of float
        Temperature at these numbers of used points, linear in ln(n_points) between them and
        constant outside.
    offset : tuple of tuple of float, one per entry of n_points, each with one per class
        Added to the tempered logits; in between as the temperature. None at all if empty.
    age_days, age_temperature : tuple of float
        Factor of the temperature at these days from the first used point to the last one, linear in
        ln(1 + age_days) between them and constant outside. No factor if empty.
    age_offset : tuple of tuple of float, one per entry of age_days, each with one per class
        Added too; in between as the factor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prior: tuple[float, ...]
    log_trained_prior: tuple[float, ...]
    n_points: tuple[float, ...] = (1.0,)
    temperature: tuple[float, ...] = (1.0,)
    offset: tuple[tuple[float, ...], ...] = ()
    age_days: tuple[float, ...] = ()
    age_temperature: tuple[float, ...] = ()
    age_offset: tuple[tuple[float, ...], ...] = ()

    @model_validator(mode="after")
    def _lengths_and_ranges_fit(self) -> Self:
        if abs(sum(self.prior) - 1) > 1e-6 or min(self.prior) <= 0:
            msg = "prior must be positive and sum to 1"
            raise ValueError(msg)
        if len(self.prior) != len(self.log_trained_prior):
            msg = "prior and log_trained_prior must have one value per class"
            raise ValueError(msg)
        if len(self.n_points) != len(self.temperature) or min(self.temperature, default=0) <= 0:
            msg = "temperature must have one positive value per entry of n_points"
            raise ValueError(msg)
        if min(self.n_points) < 1 or (np.diff(self.n_points) <= 0).any():
            msg = "n_points must start at 1 or above and ascend"
            raise ValueError(msg)
        sizes = [len(row) for row in self.offset]
        if self.offset and sizes != [len(self.prior)] * len(self.n_points):
            msg = "offset must have one row per entry of n_points, each with one value per class"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _ages_fit(self) -> Self:
        if min(self.age_days, default=0) < 0 or (np.diff(self.age_days) <= 0).any():
            msg = "age_days must start at 0 or above and ascend"
            raise ValueError(msg)
        positive = min(self.age_temperature, default=1) > 0
        if len(self.age_temperature) != len(self.age_days) or not positive:
            msg = "age_temperature must have one positive value per entry of age_days"
            raise ValueError(msg)
        if [len(row) for row in self.age_offset] != [len(self.prior)] * len(self.age_days):
            msg = "age_offset must have one row per entry of age_days, each one value per class"
            raise ValueError(msg)
        return self


def calibrated_probabilities(
    logits: ArrayLike, n_points: ArrayLike, age_days: ArrayLike, calibration: Calibration
) -> NDArray[np.float64]:
    """Turn logits into probabilities, both of shape (..., K).

    Parameters
    ----------
    logits : float array, shape (..., K)
    n_points : int array, shape (...)
        Points used.
    age_days : float array, shape (...)
        Days from the first of them to the last.
    calibration : Calibration

    Examples
    --------
    >>> even = Calibration(prior=(0.75, 0.25), log_trained_prior=(0.0, 0.0))
    >>> calibrated_probabilities([[0.0, 0.0]], [3], [5.0], even).round(6).tolist()
    [[0.75, 0.25]]
    """
    rows = np.asarray(logits, dtype=np.float64)
    n_classes = rows.shape[-1]
    probabilities = _probabilities(
        np.ascontiguousarray(rows.reshape(-1, n_classes)),
        np.log(np.asarray(n_points, dtype=np.float64)).reshape(-1),
        np.log1p(np.asarray(age_days, dtype=np.float64)).reshape(-1),
        *_constants(calibration),
    )
    return probabilities.reshape(rows.shape)


class _Constants(NamedTuple):
    """A calibration as arrays; an age that does not count as one node without effect."""

    log_n_points: NDArray[np.float64]  # (nodes,)
    temperature: NDArray[np.float64]  # (nodes,)
    offset: NDArray[np.float64]  # (nodes, K)
    log_age: NDArray[np.float64]  # (age nodes,)
    age_temperature: NDArray[np.float64]  # (age nodes,)
    age_offset: NDArray[np.float64]  # (age nodes, K)
    log_trained_prior: NDArray[np.float64]  # (K,)
    log_prior: NDArray[np.float64]  # (K,)


@lru_cache(maxsize=16)
def _constants(calibration: Calibration) -> _Constants:
    none = ((0.0,) * len(calibration.prior),)
    return _Constants(
        np.log(calibration.n_points),
        np.array(calibration.temperature),
        np.array(calibration.offset or none * len(calibration.n_points)),
        np.log1p(calibration.age_days or (0.0,)),
        np.array(calibration.age_temperature or (1.0,)),
        np.array(calibration.age_offset or none),
        np.array(calibration.log_trained_prior),
        np.log(calibration.prior),
    )


@compiled
def _place(at: float, nodes: NDArray[np.float64]) -> tuple[int, int, float]:
    """Find the nodes on both sides, and the share of the second."""
    if not at > nodes[0]:
        return 0, 0, 0.0
    for i in range(1, len(nodes)):
        if at < nodes[i]:
            return i - 1, i, (at - nodes[i - 1]) / (nodes[i] - nodes[i - 1])
    return len(nodes) - 1, len(nodes) - 1, 0.0


@compiled
def _between(first: float, second: float, share: float) -> float:
    return first + share * (second - first)


@cached_for(
    FLOAT64_ROWS(
        FLOAT64_ROWS,
        FLOAT64S,
        FLOAT64S,
        FLOAT64S,
        FLOAT64S,
        FLOAT64_ROWS,
        FLOAT64S,
        FLOAT64S,
        FLOAT64_ROWS,
        FLOAT64S,
        FLOAT64S,
    )
)
def _probabilities(
    logits: NDArray[np.float64],
    at_n_points: NDArray[np.float64],
    at_age: NDArray[np.float64],
    log_n_points: NDArray[np.float64],
    temperature: NDArray[np.float64],
    offset: NDArray[np.float64],
    log_age: NDArray[np.float64],
    age_temperature: NDArray[np.float64],
    age_offset: NDArray[np.float64],
    log_trained_prior: NDArray[np.float64],
    log_prior: NDArray[np.float64],
) -> NDArray[np.float64]:
    probabilities = np.empty_like(logits)
    for row in range(len(logits)):
        i, j, share = _place(at_n_points[row], log_n_points)
        a, b, age_share = _place(at_age[row], log_age)
        divisor = _between(temperature[i], temperature[j], share)
        divisor *= _between(age_temperature[a], age_temperature[b], age_share)
        largest = -np.inf
        for k in range(logits.shape[1]):
            shift = _between(offset[i, k], offset[j, k], share)
            shift += _between(age_offset[a, k], age_offset[b, k], age_share)
            tempered = (logits[row, k] - log_trained_prior[k]) / divisor + shift
            probabilities[row, k] = tempered + log_prior[k]
            largest = max(largest, probabilities[row, k])
        total = 0.0
        for k in range(logits.shape[1]):
            probabilities[row, k] = np.exp(probabilities[row, k] - largest)
            total += probabilities[row, k]
        for k in range(logits.shape[1]):
            probabilities[row, k] /= total
    return probabilities


def node_shares(n_points: ArrayLike, nodes: Sequence[float]) -> NDArray[np.float64]:
    """Weights of the nodes in an interpolation linear in ln(n_points), constant outside.

    Examples
    --------
    >>> node_shares([1, 4, 9], [2.0, 8.0]).round(3).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    at, log_nodes = np.log(n_points), np.log(nodes)
    place = np.interp(at, log_nodes, np.arange(len(nodes)))  # node 1 and a half, say
    return np.maximum(0.0, 1.0 - np.abs(place[..., None] - np.arange(len(nodes))))


def age_shares(age_days: ArrayLike, nodes: Sequence[float]) -> NDArray[np.float64]:
    """Weights of the nodes in an interpolation linear in ln(1 + age_days), constant outside.

    Examples
    --------
    >>> age_shares([0.0, 1.0, 200.0], [0.0, 3.0]).round(3).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    return node_shares(1.0 + np.asarray(age_days), [1.0 + node for node in nodes])
