"""ROC and precision-recall curves of each class against all others, at a few cuts."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from broker_classifier.training.judge.cuts import FULL, MAIN_CUTS, Cut, figures_by_cut
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.report.plots.style import COLOURS, DASHES, GREY, SMALL, tidy

COLUMNS = 4
AREAS = {"roc_auc": "area under the curve", "average_precision": "average precision"}
FIRST_LINE, LINE_STEP = 20.0, 10.5  # of the areas below a panel, in points
Curve = Callable[
    [NDArray[np.bool_], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
]


def roc_figure(metrics: Mapping[str, Any], predictions: Mapping[Cut, Predictions]) -> Figure:
    """Draw the share of a class that is found against that of others that are taken for it."""
    figure, axes = _panels(metrics["classes"])
    for k, axis in enumerate(axes):
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="a guess")
        _curves(axis, k, "roc_auc", metrics, predictions, _roc)
    _legend(figure, axes, "roc_auc")
    figure.supxlabel("false positive rate (share of other classes above the threshold)", fontsize=9)
    figure.supylabel("true positive rate\n(share of the class above the threshold)", fontsize=9)
    return figure


def precision_recall_figure(
    metrics: Mapping[str, Any], predictions: Mapping[Cut, Predictions]
) -> Figure:
    """Draw purity against completeness; dotted, the purity of a guess."""
    figure, axes = _panels(metrics["classes"])
    full = predictions[FULL]
    for k, axis in enumerate(axes):
        share = float((full.target == k).mean())
        axis.axhline(share, color=GREY, linewidth=1, linestyle=":", label="a guess")
        _curves(axis, k, "average_precision", metrics, predictions, _precision_recall)
    _legend(figure, axes, "average_precision")
    figure.supxlabel("recall (share of the class above the threshold)", fontsize=9)
    figure.supylabel("precision\n(share of the class among those above it)", fontsize=9)
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
    figure = Figure(figsize=(2.7 * n_columns + 0.4, 3.2 * n_rows + 0.6), layout="constrained")
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
    """Draw the curves of class k, and write the areas under them below the panel."""
    name, by_cut = metrics["classes"][k], figures_by_cut(metrics)
    n = int((predictions[FULL].target == k).sum())
    judged = {i: cut for i, cut in enumerate(MAIN_CUTS) if _has_area(by_cut.get(cut), area, name)}
    for line, (i, cut) in enumerate(judged.items()):
        at_cut = predictions[cut]
        x, y = curve(at_cut.target == k, at_cut.probabilities[:, k])
        axis.step(x, y, color=COLOURS[i], linestyle=DASHES[i], label=cut.title)
        _write_below(axis, line, _area(by_cut[cut], area, name), COLOURS[i])
    if not judged:
        axis.text(0.5, 0.5, "none to judge", ha="center", color=GREY, fontsize=9)
    axis.set_title(f"{name}, n = {n}", fontsize=9)
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1.02)
    tidy(axis)
    axis.tick_params(labelbottom=True)  # matplotlib hides those of upper rows


def _write_below(axis: Axes, line: int, text: str, colour: str) -> None:
    place: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "xytext": (0.0, -FIRST_LINE - LINE_STEP * line),
        "ha": "center",
        "va": "top",
    }
    axis.annotate(text, (0.5, 0.0), color=colour, fontsize=SMALL, **place)


def _legend(figure: Figure, axes: list[Axes], area: str) -> None:
    """Name the lines of all panels once, above them."""
    named: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    titles = [cut.title for cut in MAIN_CUTS if cut.title in named] + ["a guess"]
    place: dict[str, Any] = {"loc": "outside upper center", "ncols": 2, "frameon": False}
    title = f"below each panel: {AREAS[area]} (95 % interval)"
    handles = [named[name] for name in titles]
    figure.legend(handles, titles, title=title, title_fontsize=8, fontsize=8, **place)


def _has_area(figures: Mapping[str, Any] | None, area: str, name: str) -> bool:
    return figures is not None and figures[area][name] is not None


def _area(figures: Mapping[str, Any], area: str, name: str) -> str:
    low, high = figures[f"{area}_95"][name]
    text = f"{figures[area][name]:.2f}"
    return text if low is None else f"{text} ({low:.2f}-{high:.2f})"
