"""Plots of an evaluation: small PNG files beside `metrics.json`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from broker_classifier.training.metrics import N_BINS

DPI = 90
MIN_IN_BIN = 8
SHOWN_DETECTIONS = ("1", "3", "10")


def write_plots(
    metrics: dict[str, Any],
    target: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    folder: Path,
) -> None:
    """Draw confusion matrices, accuracy over time, and the reliability at full light curves.

    Parameters
    ----------
    metrics : dict
        As in `metrics.json`.
    target, probabilities : arrays, shape (n,) and (n, K)
        Of whole light curves.
    """
    _save(_confusion_figure(metrics), folder / "confusion.png")
    _save(_accuracy_figure(metrics), folder / "accuracy.png")
    _save(_reliability_figure(target, probabilities), folder / "reliability.png")


def _save(figure: Figure, path: Path) -> None:
    # Without the version of matplotlib in it, the same figures make the same file.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def _confusion_figure(metrics: dict[str, Any]) -> Figure:
    shown = [(f"after detection {n}", metrics["by_detections"].get(n)) for n in SHOWN_DETECTIONS]
    shown = [(title, m) for title, m in [*shown, ("whole light curve", metrics["full"])] if m]
    figure = Figure(figsize=(3.2 * len(shown), 6.6), layout="constrained")
    axes = figure.subplots(2, len(shown), squeeze=False)
    for column, (title, values) in enumerate(shown):
        _confusion(axes[0, column], values["grouped"]["confusion"], metrics["groups"], title)
        _confusion(axes[1, column], values["confusion"], metrics["classes"], f"n = {values['n']}")
    return figure


def _confusion(axis: Axes, counts: list[list[int]], names: Sequence[str], title: str) -> None:
    confusion = np.array(counts, dtype=np.float64)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, vmin=0, vmax=1, cmap="Blues")
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.005:
            colour = "white" if value > 0.5 else "black"
            text = f"{value:.2f}".lstrip("0")
            axis.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    axis.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=6)
    axis.set_yticks(range(len(names)), names, fontsize=6)
    axis.set_title(title, fontsize=8)


def _accuracy_figure(metrics: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    titles = (("by_detections", "detections"), ("by_days", "days after the first detection"))
    for axis, (family, title) in zip(axes, titles, strict=True):
        for name, label in ((None, "classes"), ("grouped", "groups")):
            cuts = {k: v[name] if name else v for k, v in metrics[family].items()}
            _accuracy_line(axis, cuts, label)
        axis.set_xlabel(title)
        axis.set_ylim(0, 1)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("balanced accuracy")
    axes[1].legend(loc="lower right")
    return figure


def _accuracy_line(axis: Axes, cuts: dict[str, Any], label: str) -> None:
    centre = np.array([values["balanced_accuracy"] for values in cuts.values()])
    interval = np.array([values["balanced_accuracy_95"] for values in cuts.values()]).T
    position = np.arange(len(cuts))
    axis.errorbar(position, centre, np.abs(interval - centre), marker="o", capsize=3, label=label)
    axis.set_xticks(position, list(cuts))


def _reliability_figure(target: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Figure:
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == target
    bin_ = np.minimum((top * N_BINS).astype(np.int64), N_BINS - 1)
    filled = np.flatnonzero(np.bincount(bin_, minlength=N_BINS) >= MIN_IN_BIN)
    figure = Figure(figsize=(3.6, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axis.plot(
        [top[bin_ == b].mean() for b in filled], [right[bin_ == b].mean() for b in filled], "o-"
    )
    axis.set_xlabel("probability of the most probable class")
    axis.set_ylabel("share that is right")
    axis.set_title(f"whole light curves, bins of {MIN_IN_BIN} or more", fontsize=9)
    return figure
