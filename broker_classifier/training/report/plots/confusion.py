"""Confusion matrices: the share of each true class that is decided for each class, in percent."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from broker_classifier.training.judge.cuts import (
    FULL,
    Cut,
    after_days,
    after_detections,
    figures_by_cut,
)
from broker_classifier.training.judge.groups import group_labels
from broker_classifier.training.report.plots.style import SMALL

SHOWN = (after_detections(3), after_detections(10), after_days(10), FULL)
WHOLE_SPAN = Cut("by_fraction", "1.0")  # may be the whole light curve again
LARGE_SHARE = 0.55
SHOWN_PERCENT = 0.5  # smaller shares are left blank
CELL_INCHES = 0.29
TITLE_INCHES = 1.45  # the longest title, on two lines
NUMBERS_INCHES = 0.5  # beside a matrix
EXPLANATION_INCHES = 3.6  # below all
LETTER_INCHES = 0.07  # of the classes' names, beside the first matrix and below each
Matrices = Mapping[Cut, Mapping[str, Any]]


def confusion_figure(metrics: Mapping[str, Any]) -> Figure:
    """Draw groups above and classes below, where they are not the same, at a few cuts."""
    by_cut = figures_by_cut(metrics)
    shown = {cut: by_cut[cut] for cut in SHOWN if cut in by_cut}
    groups, classes = group_labels(metrics["classes"]), metrics["classes"]
    rows = [(_of_groups(shown), groups)]
    if len(classes) > len(groups):
        rows.append((shown, classes))
    return _figure(rows)


def all_cuts_figure(metrics: Mapping[str, Any], level: str | None) -> Figure:
    """Draw the matrices of every cut, a family in a row; of "grouped" or, with None, classes."""
    names = group_labels(metrics["classes"]) if level else metrics["classes"]
    by_cut = distinct_cuts(metrics)
    rows = []
    for families in (("by_detections",), ("by_days",), ("by_fraction", FULL.family)):
        row = {cut: figures for cut, figures in by_cut.items() if cut.family in families}
        if row:
            rows.append((_of_groups(row) if level else row, names))
    return _figure(rows)


def distinct_cuts(metrics: Mapping[str, Any]) -> dict[Cut, Mapping[str, Any]]:
    """Give the figures of every cut, none of them twice."""
    by_cut = figures_by_cut(metrics)
    return {
        cut: figures
        for cut, figures in by_cut.items()
        if cut != WHOLE_SPAN or figures != by_cut[FULL]
    }


def _of_groups(by_cut: Matrices) -> Matrices:
    return {cut: figures["grouped"] for cut, figures in by_cut.items()}


def _figure(rows: Sequence[tuple[Matrices, Sequence[str]]]) -> Figure:
    """Draw rows of matrices, each row with the names of its classes."""
    sides = [max(TITLE_INCHES, CELL_INCHES * len(names)) for _, names in rows]
    lengths = [0.2 + LETTER_INCHES * max(map(len, names)) for _, names in rows]
    n_columns = max(len(by_cut) for by_cut, _ in rows)
    width = 0.2 + max(lengths) + (max(sides) + NUMBERS_INCHES) * n_columns
    height = 0.4 + sum(sides) + sum(lengths) + 0.4 * len(rows)
    figure = Figure(figsize=(max(width, EXPLANATION_INCHES), height), layout="constrained")
    ratios = {"height_ratios": sides}
    axes = figure.subplots(len(rows), n_columns, squeeze=False, gridspec_kw=ratios)
    for row, (by_cut, names) in zip(axes, rows, strict=True):
        for axis in row[len(by_cut) :]:
            axis.set_visible(False)
        for axis, (cut, figures) in zip(row, by_cut.items(), strict=False):
            _draw_counts(axis, figures["confusion"], names, axis is row[0])
            axis.set_title(f"{cut.title}\nn = {figures['n']}", fontsize=9)
    figure.align_ylabels()
    figure.supxlabel("decided class (equal prior), percent of the true class", fontsize=9)
    return figure


def _draw_counts(axis: Axes, counts: list[list[int]], names: Sequence[str], is_first: bool) -> None:
    confusion = np.array(counts, dtype=np.float64)
    n = confusion.sum(axis=1)
    draw_shares(axis, confusion / np.maximum(n[:, None], 1), names, is_first=is_first)
    rows = [f"{name}  {count:.0f}" for name, count in zip(names, n, strict=True)]
    axis.set_yticklabels(rows if is_first else [f"{count:.0f}" for count in n])
    if is_first:
        axis.set_ylabel("true class, n", fontsize=9)


def draw_shares(
    axis: Axes, shares: NDArray[np.float64], names: Sequence[str], *, is_first: bool
) -> None:
    """Draw a matrix, in percent; only the first of a row of them names its rows.

    Parameters
    ----------
    shares : float array, shape (K, K)
        Rows, the true classes, sum to 1, or 0 where there is none.
    """
    axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (row, column), share in np.ndenumerate(shares):
        if 100 * share >= SHOWN_PERCENT:
            colour = "white" if share > LARGE_SHARE else "black"
            style: dict[str, Any] = {
                "ha": "center",
                "va": "center",
                "fontsize": SMALL,
                "fontweight": "bold" if row == column else "normal",
            }
            axis.text(column, row, f"{100 * share:.0f}", color=colour, **style)
    axis.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names if is_first else [""] * len(names))
    axis.tick_params(labelsize=SMALL, length=2)
