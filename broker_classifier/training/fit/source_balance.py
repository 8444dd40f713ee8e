"""Weights that make the origin of a light curve say less about its class.

Sources differ in their mixture of classes. A network that tells the sources apart learns each
source's mixture as if it were a property of the sky.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.homogenise.homogenisation import AGAIN

LARGEST_FACTOR = 5.0
ELSEWHERE = ""


def balanced_over_sources(examples: Sequence[Example], n_classes: int) -> list[Example]:
    """Weigh examples so that each source has the class mixture of all, as far as its classes go.

    An example of class c from source s counts p(c) / p(c|s) times, from a fifth to five times. Then
    each class is scaled back to its sum of weights, so that the prior stays. All that is not from
    alerts counts as one source. A second view belongs to the source of the first.
    """
    if not examples:
        return []
    origin = [_origin(e) for e in examples]
    _, row = np.unique(origin, return_inverse=True)
    target = np.array([e.target for e in examples])
    weight = np.array([e.weight for e in examples])
    mass = np.zeros((row.max() + 1, n_classes))
    np.add.at(mass, (row, target), weight)
    share = mass.sum(axis=0) / mass.sum()  # (K,)
    within = mass / mass.sum(axis=1, keepdims=True)  # (S, K)
    wanted = np.divide(share, within, out=np.ones_like(mass), where=within > 0)
    factor = np.clip(wanted, 1 / LARGEST_FACTOR, LARGEST_FACTOR)
    before, after = mass.sum(axis=0), (mass * factor).sum(axis=0)
    factor = factor * np.divide(before, after, out=np.ones(n_classes), where=after > 0)
    scaled = (weight * factor[row, target]).tolist()
    return [replace(e, weight=w) for e, w in zip(examples, scaled, strict=True)]


def _origin(example: Example) -> str:
    is_known = example.is_alert or example.source.endswith(AGAIN)
    return example.source.removesuffix(AGAIN) if is_known else ELSEWHERE
