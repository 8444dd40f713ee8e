"""Where the attention of whole light curves lies relative to their peaks, class by class."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from broker_classifier.training.judge.attention_profile import FEWEST_POINTS
from broker_classifier.training.report.plots.style import COLOURS, GREY, tidy

COLUMNS = 4


def attention_figure(metrics: Mapping[str, Any]) -> Figure:
    """Draw the mean share of the attention in bins of days, over that of the points."""
    by_class = metrics["attention"]
    n_columns = min(COLUMNS, max(len(by_class), 1))
    n_rows = max(-(-len(by_class) // n_columns), 1)
    figure = Figure(figsize=(2.6 * n_columns + 0.5, 2.1 * n_rows + 0.6), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axis in axes[len(by_class) :]:
        axis.set_visible(False)
    if not by_class:
        figure.text(0.5, 0.5, "this network has no attention", ha="center", color=GREY)
    for axis, (name, figures) in zip(axes, by_class.items(), strict=False):
        edges = figures["profile_days"]
        points, attention = figures["points_profile"], figures["profile"]
        axis.stairs(points, edges, fill=True, color="#CCCCCC", label="points")
        axis.stairs(attention, edges, color=COLOURS[0], linewidth=1.5, label="attention")
        axis.axvline(0.0, color=GREY, linewidth=0.8, linestyle=":")
        axis.set_title(f"{name}, n = {figures['n']}", fontsize=9)
        tidy(axis)
        axis.tick_params(labelbottom=True)  # matplotlib hides those of upper rows
    if by_class:
        axes[0].legend(fontsize=8, frameon=False)
        figure.suptitle(f"whole light curves of {FEWEST_POINTS} points or more", fontsize=10)
    figure.supxlabel("days after the brightest point (outer bins: all beyond)", fontsize=9)
    figure.supylabel("mean share", fontsize=9)
    return figure
