"""Reliability: how often the most probable class is right, against its probability."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from broker_classifier.training.judge.cuts import FULL, Cut, after_days, after_detections
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.scores import (
    N_BINS,
    confidence_bin,
    expected_calibration_error,
)
from broker_classifier.training.report.plots.style import COLOURS, GREY, tidy

SHOWN = (*map(after_detections, (1, 3, 10)), *map(after_days, (10, 20)), FULL)
MIN_IN_BIN = 5
COLUMNS = 3
Z_95 = 1.96


def reliability_figure(predictions: Mapping[Cut, Predictions]) -> Figure:
    """Draw a curve for each of a few cuts, with the number of objects below."""
    shown = [(cut.title, predictions[cut]) for cut in SHOWN if cut in predictions]
    n_rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(3.1 * min(COLUMNS, len(shown)), 3.7 * n_rows), layout="constrained")
    ratios = {"height_ratios": [3, 1] * n_rows}
    axes = figure.subplots(2 * n_rows, min(COLUMNS, len(shown)), gridspec_kw=ratios, squeeze=False)
    for axis in axes.ravel():
        axis.set_visible(False)
    for i, (title, at_cut) in enumerate(shown):
        row, column = 2 * (i // COLUMNS), i % COLUMNS
        _curve(axes[row, column], at_cut, title)
        _histogram(axes[row + 1, column], at_cut)
        if column == 0:
            axes[row, column].set_ylabel("share that is right", fontsize=9)
            axes[row + 1, column].set_ylabel("objects", fontsize=9)
    figure.supxlabel("probability of the most probable class (natural prior)", fontsize=9)
    return figure


def _curve(axis: Axes, at_cut: Predictions, title: str) -> None:
    top = at_cut.probabilities.max(axis=1)
    right = at_cut.probabilities.argmax(axis=1) == at_cut.target
    bin_ = confidence_bin(top)
    n = np.bincount(bin_, minlength=N_BINS)
    filled = n >= MIN_IN_BIN
    share = np.bincount(bin_, weights=right, minlength=N_BINS)[filled] / n[filled]
    mean = np.bincount(bin_, weights=top, minlength=N_BINS)[filled] / n[filled]
    low, high = wilson_interval(share, n[filled])
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    error = np.maximum([share - low, high - share], 0.0)
    axis.errorbar(mean, share, error, color=COLOURS[0], marker="o", markersize=4, capsize=2)
    ece = float(expected_calibration_error(at_cut.target, at_cut.probabilities))
    axis.set_title(f"{title}, ECE {ece:.3f}", fontsize=9)
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)
    axis.set_visible(True)
    axis.tick_params(labelbottom=False)
    tidy(axis)


def _histogram(axis: Axes, at_cut: Predictions) -> None:
    edges = np.linspace(0, 1, N_BINS + 1).tolist()
    axis.hist(at_cut.probabilities.max(axis=1), edges, color=COLOURS[5], edgecolor="white")
    axis.set_xlim(0, 1)
    axis.set_visible(True)
    tidy(axis)


def wilson_interval(
    share: NDArray[np.float64], n: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the 95 % interval of a share of n; it stays within 0 and 1 (Wilson 1927).

    >>> low, high = wilson_interval(np.array([0.5]), np.array([100]))
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.404, 0.596)
    """
    z2 = Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return centre - half, centre + half
