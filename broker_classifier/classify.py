"""Light curves to classifications: a pure function, the same whatever the batch or its order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.bundle import Bundle
from broker_classifier.calibration import calibrated_probabilities
from broker_classifier.interpolate import channels, padded_points
from broker_classifier.light_curve import LightCurve
from broker_classifier.selection import Selected, select

BATCH = 128


@dataclass(frozen=True)
class Classification:
    """What a bundle says about one light curve, and what it looked at.

    Attributes
    ----------
    probabilities : float array, shape (n_classes,)
        Calibrated, under the natural prior; in the order of the bundle's classes; sums to 1.
    used : int array, shape (n_used,)
        Positions in the light curve of the points used, ascending.
    attention : float array, shape (n_used,)
        Weight of each used point in the network's context; sums to 1.
    rejected : tuple of str, one per point of the light curve
        Why the point was not used; "" where it was.
    """

    probabilities: NDArray[np.float64]
    used: NDArray[np.intp]
    attention: NDArray[np.float64]
    rejected: tuple[str, ...]


def classify(curves: Sequence[LightCurve], bundle: Bundle) -> list[Classification | None]:
    """Classify light curves; None for one without a usable point.

    Set `torch.set_num_threads(1)` in a worker process: two threads beside another busy process
    are many times slower than one.
    """
    selected = [select(curve, bundle.selection) for curve in curves]
    found: list[Classification | None] = [None] * len(curves)
    for batch in _batches_of_similar_length(selected):
        part = [curves[i] for i in batch], [selected[i] for i in batch]
        for i, classification in zip(batch, _classify_batch(*part, bundle), strict=True):
            found[i] = classification
    return found


def _batches_of_similar_length(selected: Sequence[Selected]) -> Iterator[list[int]]:
    usable = [i for i, s in enumerate(selected) if len(s.index)]
    usable.sort(key=lambda i: len(selected[i].index))
    for start in range(0, len(usable), BATCH):
        yield usable[start : start + BATCH]


def _classify_batch(
    curves: Sequence[LightCurve], selected: Sequence[Selected], bundle: Bundle
) -> Iterator[Classification]:
    n_points = np.array([len(s.index) for s in selected])
    points = padded_points(curves, selected, bundle.selection.bands)
    rows = channels(points, len(bundle.selection.bands), bundle.description.normalisation)
    with torch.inference_mode():
        logits, energies = bundle.network(torch.from_numpy(rows))
    last = logits[torch.arange(len(rows)), torch.from_numpy(n_points) - 1]  # (B, T, K) -> (B, K)
    calibration = bundle.description.calibration
    probabilities = calibrated_probabilities(last.numpy(), n_points, calibration)
    for row, s in enumerate(selected):
        attention = _softmax(energies[row, : len(s.index)].numpy().astype(np.float64))
        yield Classification(probabilities[row], s.index, attention, s.rejected)


def _softmax(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(energies - energies.max())
    return np.asarray(weights / weights.sum())
