"""Confusion matrices: the share of each true class that is decided for each class, in percent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from broker_classifier.training.report.plots.style import SMALL

SHOWN = (("by_detections", "3"), ("by_detections", "10"), ("by_days", "10"), ("full", ""))
LARGE_SHARE = 0.55
MATRIX_INCHES = 0.29  # a cell
SHOWN_PERCENT = 0.5  # smaller shares are left blank


def confusion_figure(metrics: Mapping[str, Any]) -> Figure:
    """Draw groups above and classes below, where they are not the same, at a few cuts."""
    shown = [cut for cut in cuts(metrics) if cut[:2] in SHOWN]
    rows: list[tuple[str | None, Sequence[str]]] = [("grouped", metrics["groups"])]
    if len(metrics["classes"]) > len(metrics["groups"]):
        rows.append((None, metrics["classes"]))
    figure = Figure(figsize=(1.2 + 2.9 * len(shown), 0.4 + 3.1 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(shown), squeeze=False)
    for row, (level, names) in enumerate(rows):
        for column, (_, _, title, values) in enumerate(shown):
            at_level = values[level] if level else values
            _draw_counts(axes[row, column], at_level["confusion"], names, column == 0)
            if row == 0:
                axes[row, column].set_title(f"{title}, n = {values['n']}", fontsize=9)
    _explain(figure)
    return figure


def all_cuts_figure(metrics: Mapping[str, Any], level: str | None) -> Figure:
    """Draw the matrices of every cut, a family in a row; of "grouped" or, with None, classes."""
    names = metrics["groups"] if level else metrics["classes"]
    found = cuts(metrics)
    families = [
        [cut for cut in found if cut[0] == "by_detections"],
        [cut for cut in found if cut[0] == "by_days"],
        [cut for cut in found if cut[0] in ("by_fraction", "full")],
    ]
    families = [family for family in families if family]
    n_columns = max(map(len, families))
    side = 0.5 + MATRIX_INCHES * len(names)
    size = (1.0 + side * n_columns, 1.0 + (side + 0.4) * len(families))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(families), n_columns, squeeze=False)
    for row, family in enumerate(families):
        for axis in axes[row, len(family) :]:
            axis.set_visible(False)
        for column, (_, _, title, values) in enumerate(family):
            at_level = values[level] if level else values
            _draw_counts(axes[row, column], at_level["confusion"], names, column == 0)
            axes[row, column].set_title(f"{title}, n = {values['n']}", fontsize=9)
    _explain(figure)
    return figure


def cuts(metrics: Mapping[str, Any]) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """List family, value, title and figures of every cut that occurs, none of them twice."""
    return [
        *((f, v, t, m) for f, v, t, m in _cuts(metrics)),
        ("full", "", "whole light curve", metrics["full"]),
    ]


def _cuts(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for value, figures in metrics["by_detections"].items():
        plural = "" if value == "1" else "s"
        yield "by_detections", value, f"{value} detection{plural}", figures
    for value, figures in metrics["by_days"].items():
        yield "by_days", value, f"day {value}", figures
    for value, figures in metrics["by_fraction"].items():
        if figures == metrics["full"]:
            continue  # the whole light curve, which comes last
        yield "by_fraction", value, f"{100 * float(value):.0f} % of its time", figures


def _draw_counts(axis: Axes, counts: list[list[int]], names: Sequence[str], is_first: bool) -> None:
    confusion = np.array(counts, dtype=np.float64)
    n = confusion.sum(axis=1)
    draw_shares(axis, confusion / np.maximum(n[:, None], 1), names, is_first=is_first)
    rows = [f"{name}  {count:.0f}" for name, count in zip(names, n, strict=True)]
    axis.set_yticklabels(rows if is_first else [f"{count:.0f}" for count in n])
    axis.set_xticklabels([_short(name) for name in names])
    if is_first:
        axis.set_ylabel("true class, n", fontsize=9)


def _short(group: str) -> str:
    """Shorten the name of a group that the rows spell out.

    >>> _short("SNIa+91bg+Iax"), _short("SNII")
    ('SNIa+…', 'SNII')
    """
    first, *others = group.split("+")
    return f"{first}+…" if others else group


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


def _explain(figure: Figure) -> None:
    figure.align_ylabels()
    figure.supxlabel("decided class (equal prior), percent of the true class", fontsize=9)
