"""What a network says at every prefix of light curves.

A streaming network answers at every point in one pass. A grid network needs a grid for each
prefix.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch, LightCurve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.inputs import ModelInput
from broker_classifier.model.networks import Network

BATCH = 128


def prefix_logits(
    network: Network,
    curves: Sequence[LightCurve],
    selection: Selection,
    normalisation: ModelInput,
) -> list[NDArray[np.float64]]:
    """Compute the logits after each point of light curves made of used points only.

    Returns
    -------
    list of float array, shape (n_points, n_classes)
        In the order of `curves`.
    """
    network.eval()
    if not normalisation.has_row_per_point:
        return _logits_of_each(network, curves, selection, normalisation)
    by_curve: list[NDArray[np.float64]] = [np.empty(0)] * len(curves)
    for batch in batches_by_length([len(c) for c in curves], BATCH):
        inputs = network_input([curves[i] for i in batch], selection, normalisation)
        with torch.inference_mode():
            logits, _ = network(inputs.to(device_of(network)))
        for i, rows in zip(batch, logits.cpu().numpy().astype(np.float64), strict=True):
            by_curve[i] = rows[: len(curves[i])]
    return by_curve


def _logits_of_each(
    network: Network,
    curves: Sequence[LightCurve],
    selection: Selection,
    normalisation: ModelInput,
) -> list[NDArray[np.float64]]:
    prefixes = [LightCurve(c.points[:n]) for c in curves for n in range(1, len(c) + 1)]
    rows = []
    for start in range(0, len(prefixes), BATCH):
        inputs = network_input(prefixes[start : start + BATCH], selection, normalisation)
        with torch.inference_mode():
            logits, _ = network(inputs.to(device_of(network)))
        rows.append(logits.cpu().numpy().astype(np.float64))
    return np.split(np.concatenate(rows), np.cumsum([len(c) for c in curves])[:-1])


def device_of(network: Network) -> torch.device:
    """Tell where a network's weights are; the CPU if it has none."""
    return next((weights.device for weights in network.parameters()), torch.device("cpu"))


def network_input(
    curves: Sequence[LightCurve], selection: Selection, normalisation: ModelInput
) -> torch.Tensor:
    """Build the input of light curves made of used points only.

    Returns
    -------
    float32 tensor
        (n, longest light curve, C), padded at the end, for a streaming network; (n, L, C) for a
        grid network.
    """
    return torch.from_numpy(normalisation.build(CurveBatch.of(curves), selection.bands))


def batches_by_length(
    lengths: Sequence[int], size: int, random: np.random.Generator | None = None
) -> Iterator[list[int]]:
    """Put positions of similar length together; with `random`, loosely and in random order."""
    sort_key = np.array(lengths, dtype=np.float64)
    if random is not None:
        sort_key += random.normal(0.0, 4.0, len(sort_key))
    order = np.argsort(sort_key, kind="stable")
    starts = np.arange(0, len(order), size)
    if random is not None:
        random.shuffle(starts)
    for start in starts.tolist():
        yield order[start : start + size].tolist()
