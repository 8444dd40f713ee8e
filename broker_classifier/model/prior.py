"""What the light curve says beyond the prior: how much, and under equal priors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class ClassPrior:
    """The classes of a bundle, and how frequent each is before a light curve is seen.

    Attributes
    ----------
    classes : tuple of str, K of them
    prior : float array, shape (K,)
        Positive, sums to 1.
    """

    classes: tuple[str, ...]
    prior: NDArray[np.float64]


def equal_prior_probabilities(probabilities: ArrayLike, prior: ArrayLike) -> NDArray[np.float64]:
    """Give the probabilities as if all classes were equally frequent.

    Parameters
    ----------
    probabilities : float array, shape (..., K)
        Under the prior; each row sums to 1.
    prior : float array, shape (K,)
        Positive, sums to 1.

    Examples
    --------
    >>> equal_prior_probabilities([0.75, 0.25], [0.75, 0.25]).tolist()
    [0.5, 0.5]
    """
    ratio = np.asarray(probabilities, dtype=np.float64) / np.asarray(prior, dtype=np.float64)
    return np.asarray(ratio / ratio.sum(axis=-1, keepdims=True))


def information_bits(probabilities: ArrayLike, prior: ArrayLike) -> NDArray[np.float64]:
    """Measure what the light curve said: the Kullback–Leibler divergence from the prior, in bits.

    It is 0 where the answer is the prior itself. A certain answer of a class with prior p has
    log2(1/p) bits.

    Parameters
    ----------
    probabilities : float array, shape (..., K)
    prior : float array, shape (K,)

    Returns
    -------
    float array, shape (...)

    Examples
    --------
    >>> information_bits([[0.5, 0.5], [1.0, 0.0]], [0.5, 0.5]).tolist()
    [0.0, 1.0]
    """
    p = np.asarray(probabilities, dtype=np.float64)
    ratio = np.where(p > 0.0, p, 1.0) / np.where(p > 0.0, prior, 1.0)
    return np.asarray(np.maximum(np.sum(p * np.log2(ratio), axis=-1), 0.0))
