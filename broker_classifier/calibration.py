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
    constants = _constants(calibration)
    shares = node_shares(n_points, calibration.n_points)
    temperature = shares @ constants.temperature
    shift = constants.log_prior + shares @ constants.offset
    if calibration.age_days:
        shares = age_shares(age_days, calibration.age_days)
        temperature = temperature * (shares @ constants.age_temperature)
        shift = shift + shares @ constants.age_offset
    balanced = np.asarray(logits, dtype=np.float64) - constants.log_trained_prior
    log_joint = balanced / temperature[..., None] + shift
    joint = np.exp(log_joint - log_joint.max(axis=-1, keepdims=True))
    return np.asarray(joint / joint.sum(axis=-1, keepdims=True))


def temperature_at(n_points: ArrayLike, calibration: Calibration) -> NDArray[np.float64]:
    """Interpolate the temperature in ln(n_points)."""
    return np.asarray(node_shares(n_points, calibration.n_points) @ calibration.temperature)


class _Constants(NamedTuple):
    """A calibration as arrays."""

    temperature: NDArray[np.float64]  # (nodes,)
    offset: NDArray[np.float64]  # (nodes, K)
    log_trained_prior: NDArray[np.float64]  # (K,)
    log_prior: NDArray[np.float64]  # (K,)
    age_temperature: NDArray[np.float64]  # (age nodes,)
    age_offset: NDArray[np.float64]  # (age nodes, K)


@lru_cache(maxsize=16)
def _constants(calibration: Calibration) -> _Constants:
    shape = len(calibration.n_points), len(calibration.prior)
    offset = np.array(calibration.offset) if calibration.offset else np.zeros(shape)
    return _Constants(
        np.array(calibration.temperature),
        offset,
        np.array(calibration.log_trained_prior),
        np.log(calibration.prior),
        np.array(calibration.age_temperature),
        np.array(calibration.age_offset),
    )


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
