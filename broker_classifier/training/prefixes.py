"""What a network says at every prefix of light curves: one pass gives the answer at each point."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.interpolate import Normalisation, channels
from broker_classifier.light_curve import LightCurve
from broker_classifier.models.streaming_attentive_gru import StreamingAttentiveGRU
from broker_classifier.selection import Selection, joined

BATCH = 128


def prefix_logits(
    network: StreamingAttentiveGRU,
    curves: Sequence[LightCurve],
    selection: Selection,
    normalisation: Normalisation,
) -> list[NDArray[np.float64]]:
    """Compute the logits after each point of light curves made of used points only.

    Returns
    -------
    list of float array, shape (n_points, n_classes)
        In the order of `curves`.
    """
    network.eval()
    found: list[NDArray[np.float64]] = [np.empty(0)] * len(curves)
    for batch in batches_by_length([len(c) for c in curves], BATCH):
        inputs = padded_input([curves[i] for i in batch], selection, normalisation)
        with torch.inference_mode():
            logits, _ = network(inputs)
        for i, rows in zip(batch, logits.numpy().astype(np.float64), strict=True):
            found[i] = rows[: len(curves[i])]
    return found


def padded_input(
    curves: Sequence[LightCurve], selection: Selection, normalisation: Normalisation
) -> torch.Tensor:
    """Build the padded input (n, T, C) of light curves made of used points only."""
    starts = np.concatenate([[0], np.cumsum([len(c) for c in curves])])
    rows = channels(joined(curves), starts, selection.bands, normalisation)
    padded = np.zeros((len(curves), int(np.diff(starts).max()), rows.shape[1]), dtype=np.float32)
    for i, curve in enumerate(curves):
        padded[i, : len(curve)] = rows[starts[i] : starts[i + 1]]
    return torch.from_numpy(padded)


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
