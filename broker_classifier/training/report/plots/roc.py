"""ROC and precision-recall curves of each class against all others, at a few cuts."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from broker_classifier.training.judge.cuts import Cut
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.report.plots.style import COLOURS, DASHES, GREY, SMALL, tidy

SHOWN = {
    Cut("by_detections", "3"): "3 detections",
    Cut("by_detections", "10"): "10 detections",
    Cut("full", ""): "whole light curve",
}
COLUMNS = 4
SHORT = {"roc_auc": "AUC", "average_precision": "AP"}
Curve = Callable[
    [NDArray[np.bool_], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
]


def roc_figure(metrics: Mapping[str, Any], predictions: Mapping[Cut, Predictions]) -> Figure:
    """Draw the share of a class that is found against that of others that are taken for it."""
    figure, axes = _panels(metrics["classes"])
    for k, axis in enumerate(axes):
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
        _curves(axis, k, "roc_auc", metrics, predictions, _roc)
    figure.supxlabel("false positive rate (share of other classes above the threshold)", fontsize=9)
    figure.supylabel("true positive rate (share of the class above it)", fontsize=9)
    return figure


def precision_recall_figure(
    metrics: Mapping[str, Any], predictions: Mapping[Cut, Predictions]
) -> Figure:
    """Draw purity against completeness; dotted, the purity of a guess."""
    figure, axes = _panels(metrics["classes"])
    full = predictions[Cut("full", "")]
    for k, axis in enumerate(axes):
        axis.axhline(float((full.target == k).mean()), color=GREY, linewidth=1, linestyle=":")
        _curves(axis, k, "average_precision", metrics, predictions, _precision_recall)
    figure.supxlabel("recall (share of the class above the threshold)", fontsize=9)
    figure.supylabel("precision (share of the class among those above it)", fontsize=9)
    return figure


def _roc(
    positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    wrong, right, _ = roc_curve(positive, score)
    return wrong, right


def _precision_recall(
    positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    precision, recall, _ = precision_recall_curve(positive, score)
    return recall[-2::-1], precision[-2::-1]  # without the point (0, 1) that is put at its end


def _panels(classes: list[str]) -> tuple[Figure, list[Axes]]:
    n_columns = min(COLUMNS, len(classes))
    n_rows = -(-len(classes) // n_columns)
    figure = Figure(figsize=(2.7 * n_columns + 0.3, 3.3 * n_rows + 0.3), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axis in axes[len(classes) :]:
        axis.set_visible(False)
    return figure, list(axes[: len(classes)])


def _curves(
    axis: Axes,
    k: int,
    area: str,
    metrics: Mapping[str, Any],
    predictions: Mapping[Cut, Predictions],
    curve: Curve,
) -> None:
    name = metrics["classes"][k]
    n = int((predictions[Cut("full", "")].target == k).sum())
    for i, (cut, title) in enumerate(SHOWN.items()):
        figures = metrics[cut.family].get(cut.value) if cut.value else metrics[cut.family]
        if figures is not None and figures[area][name] is not None:
            at_cut = predictions[cut]
            x, y = curve(at_cut.target == k, at_cut.probabilities[:, k])
            label = f"{title}: {_area(figures, area, name)}"
            axis.step(x, y, color=COLOURS[i], linestyle=DASHES[i], label=label)
    axis.set_title(f"{name}, n = {n}", fontsize=9)
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1.02)
    tidy(axis)
    axis.tick_params(labelbottom=True)  # matplotlib hides those of upper rows
    if axis.get_legend_handles_labels()[0]:
        place: dict[str, Any] = {
            "loc": "upper center",
            "bbox_to_anchor": (0.5, -0.14),
            "frameon": False,
            "title": f"{SHORT[area]} (95 % interval)",
            "title_fontsize": SMALL,
        }
        axis.legend(fontsize=SMALL, handlelength=1.8, borderaxespad=0.0, **place)
    else:
        axis.text(0.5, 0.5, "none to judge", ha="center", color=GREY, fontsize=9)


def _area(figures: Mapping[str, Any], area: str, name: str) -> str:
    low, high = figures[f"{area}_95"][name]
    text = f"{figures[area][name]:.2f}"
    return text if low is None else f"{text} ({low:.2f}-{high:.2f})"
