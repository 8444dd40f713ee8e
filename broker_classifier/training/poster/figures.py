"""The poster's figure, confusion matrices side by side, and the sweep's: small PNG files."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from broker_classifier.training.report.plots.confusion import draw_shares
from broker_classifier.training.report.plots.style import COLOURS, MARKERS

Floats = NDArray[np.float64]
CELL_INCHES = 0.33
MARGIN_INCHES = 0.75


def confusion_figure(
    matrices: Mapping[tuple[int, str], Floats],
    models: Sequence[str],
    percents: Sequence[int],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Draw a matrix per percentage of the light curve (rows) and model (columns).

    Parameters
    ----------
    matrices : dict of (percent, model) to float array, shape (K, K)
        Rows, the true classes, sum to 1.
    models, percents, names : sequences
        In the order of drawing; K names.
    title : str
    """
    side = MARGIN_INCHES + CELL_INCHES * len(names)
    size = (side * len(models) + 0.4, side * len(percents) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(percents), len(models), squeeze=False)
    for row, percent in enumerate(percents):
        for column, model in enumerate(models):
            matrix = matrices[percent, model]
            draw_shares(axes[row, column], matrix, names, is_first=column == 0)
            accuracy = f"{np.diag(matrix).mean():.2f}".lstrip("0")
            axes[row, column].set_title(f"{model}, {percent} %: {accuracy}", fontsize=8)
    figure.suptitle(title, fontsize=9)
    figure.supxlabel("decided class, percent of the true class", fontsize=8)
    figure.supylabel("true class", fontsize=8)
    return figure


def sweep_figure(
    accuracies: Mapping[tuple[int, int], Sequence[float]], without: Sequence[float], title: str
) -> Figure:
    """Draw balanced accuracy against d_a, a line for each r, and the GRU without attention.

    Parameters
    ----------
    accuracies : dict of (d_a, r) to floats
        One for each seed.
    without : sequence of float
        The GRU's.
    title : str
    """
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axis = figure.subplots()
    widths = sorted({width for width, _ in accuracies})
    hops = sorted({r for _, r in accuracies})
    for number, r in enumerate(hops):
        by_width = [accuracies[width, r] for width in widths]
        position = np.arange(len(widths)) + 0.06 * (number - (len(hops) - 1) / 2)
        axis.errorbar(
            position,
            [np.mean(of_seeds) for of_seeds in by_width],
            [standard_error(of_seeds) for of_seeds in by_width],
            marker=MARKERS[number % len(MARKERS)],
            color=COLOURS[number % len(COLOURS)],
            capsize=3,
            label=f"r = {r}",
        )
    mean, error = float(np.mean(without)), standard_error(without)
    axis.axhline(mean, color="#555555", linestyle="--", label="GRU")
    axis.axhspan(mean - error, mean + error, color="#555555", alpha=0.15)
    axis.set_xticks(range(len(widths)), map(str, widths))
    axis.set_xlabel("d_a, width of the attention")
    axis.set_ylabel("balanced accuracy")
    axis.set_title(title, fontsize=9)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure


def standard_error(values: Sequence[float]) -> float:
    """Give the standard error of a mean; NaN of a single value."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
