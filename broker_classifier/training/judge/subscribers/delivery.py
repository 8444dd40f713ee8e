"""What a subscriber gets who asks for a class: precision and recall, in the stream's proportions.

They ask for answers in which the class has at least some probability and to which the light curve
gave at least some bits. An object is delivered when one of its answers is: after 1, 2, 3, 5, 10 or
20 detections, or at the end. Precision is the share of the class among the objects delivered, when
the classes come as often as `stream_shares` has it. Recall is the share of the class delivered.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.model.bundle import Bundle
from broker_classifier.model.prior import information_bits
from broker_classifier.training.judge.bootstrap import Counts, interval, resamples
from broker_classifier.training.judge.cuts import DETECTIONS, FULL, Cut, after_detections
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.scores import rounded
from broker_classifier.training.judge.subscribers.stream_shares import stream_shares

Floats = NDArray[np.float64]

PROBABILITIES = (0.1, 0.3, 0.5, 0.8)
BITS = (0.0, 0.25, 0.5, 1.0)
ANSWERS = (*map(after_detections, DETECTIONS), FULL)


def subscriber_figures(
    predictions: Mapping[Cut, Predictions], bundle: Bundle
) -> dict[str, Any] | None:
    """Compute precision and recall of each class at each pair of probability and bits.

    Parameters
    ----------
    predictions : mapping of Cut to Predictions
        At `FULL` and any others.
    bundle : Bundle

    Returns
    -------
    dict or None
        `shares` of the classes that occur in the sample, and `pairs`: `probability`, `bits`, and by
        class `precision`, `recall` and their 95 % intervals. A figure is None where nothing is
        delivered or no object of the class occurs. None if the stream's shares are not known.
    """
    shares = stream_shares(bundle.classes)
    if shares is None:
        return None
    target = predictions[FULL].target
    shares = np.where(np.bincount(target, minlength=len(shares)), shares, 0.0)
    shares /= shares.sum()
    names, once = bundle.classes, np.ones((1, len(target)), dtype=np.float32)
    counts = np.concatenate([once, resamples(target)])
    pairs = []
    for (probability, bits), delivered in _delivered(predictions).items():
        both = _precision_and_recall(delivered, target, shares, counts)
        figures: dict[str, Any] = {"probability": probability, "bits": bits}
        for name, values in zip(("precision", "recall"), both, strict=True):
            figures[name] = dict(zip(names, map(rounded, values[0]), strict=True))
            figures[f"{name}_95"] = dict(zip(names, map(interval, values[1:].T), strict=True))
        pairs.append(figures)
    return {"shares": dict(zip(names, map(rounded, shares), strict=True)), "pairs": pairs}


def _delivered(
    predictions: Mapping[Cut, Predictions],
) -> dict[tuple[float, float], NDArray[np.bool_]]:
    """Tell for each pair which objects are delivered as which class, shape (n, K)."""
    whole = predictions[FULL]
    place = {id(example): row for row, example in enumerate(whole.examples)}
    delivered = {
        (probability, bits): np.zeros(whole.probabilities.shape, dtype=bool)
        for probability in PROBABILITIES
        for bits in BITS
    }
    for answers in (predictions[cut] for cut in ANSWERS if cut in predictions):
        rows = [place[id(example)] for example in answers.examples]
        bits_given = information_bits(answers.probabilities, answers.prior)[:, None]
        for (probability, bits), is_delivered in delivered.items():
            is_delivered[rows] |= (answers.probabilities >= probability) & (bits_given >= bits)
    return delivered


def _precision_and_recall(
    delivered: NDArray[np.bool_], target: NDArray[np.int64], shares: Floats, counts: Counts
) -> tuple[Floats, Floats]:
    """Compute both for each class in every resample, shape (B, K); NaN where there is none.

    `counts` has as many objects of a class in every resample as there are in the sample.
    """
    is_class = target[:, None] == np.arange(len(shares))
    n = is_class.sum(axis=0)
    precision, recall = np.full((2, len(counts), len(shares)), np.nan)
    for k in np.flatnonzero(n):
        is_named = (is_class & delivered[:, k, None]).astype(np.float32)
        rate = counts @ is_named / np.maximum(n, 1)  # (B, K): the part of each class that is named
        total = rate @ shares
        np.divide(shares[k] * rate[:, k], total, out=precision[:, k], where=total > 0)
        recall[:, k] = rate[:, k]
    return precision, recall
