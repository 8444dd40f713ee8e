"""Figures against the number of detections and days: of one bundle, or of several in one plot."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker_classifier.training.judge.cuts import FULL, all_cuts, figures_by_cut
from broker_classifier.training.report.plots.style import COLOURS, DASHES, MARKERS, tidy

FAMILIES = (("by_detections", "detections"), ("by_days", "days after the first detection"))


class Line(NamedTuple):
    """One figure of one bundle: where in `metrics.json` it stands, and how it is called."""

    metrics: Mapping[str, Any]
    level: str | None
    name: str
    label: str


def accuracy_figure(metrics: Mapping[str, Any]) -> Figure:
    """Draw what is judged of one bundle: groups and, where they are not the same, classes."""
    n_groups, n_classes = len(metrics["groups"]), len(metrics["classes"])
    levels: dict[str | None, str] = {"grouped": f"{n_groups} groups", None: f"{n_classes} classes"}
    if n_groups == n_classes:
        levels = {"grouped": f"{n_classes} classes"}
    rows = [
        ("balanced accuracy\n(equal prior)", "balanced_accuracy"),
        ("macro-F1\n(natural prior)", "macro_f1"),
        ("accuracy\n(natural prior)", "accuracy"),
        ("calibration error\n(ECE)", "ece"),
    ]
    return _figure(
        [
            (title, [Line(metrics, level, name, label) for level, label in levels.items()])
            for title, name in rows
        ]
    )


def comparison_figure(reports: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw what decides (groups) of several bundles, one line each, by their names."""
    rows = [
        ("balanced accuracy\nof groups", "grouped", "balanced_accuracy"),
        ("macro-F1\nof groups", "grouped", "macro_f1"),
        ("calibration error\n(ECE) of classes", None, "ece"),
    ]
    return _figure(
        [
            (title, [Line(m, level, name, label) for label, m in reports.items()])
            for title, level, name in rows
        ]
    )


def _figure(rows: Sequence[tuple[str, list[Line]]]) -> Figure:
    """Draw a row of panels for each figure; all rows have the same lines, in one legend."""
    figure = Figure(figsize=(9.5, 1.0 + 2.2 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(FAMILIES), sharey="row", squeeze=False)
    for row, (title, lines) in enumerate(rows):
        for column, (family, name) in enumerate(FAMILIES):
            axis = axes[row, column]
            _lines(axis, family, lines)
            if row == len(rows) - 1:
                axis.set_xlabel(name)
        axes[row, 0].set_ylabel(title)
        top = 1.0 if "error" not in title else None
        axes[row, 0].set_ylim(0, top)
    handles, names = axes[0, 0].get_legend_handles_labels()
    columns = 1 if len(names) > 1 and max(map(len, names)) > 40 else min(len(names), 3)
    figure.legend(handles, names, loc="outside upper center", ncols=columns, fontsize=8)
    return figure


def _lines(axis: Axes, family: str, lines: Sequence[Line]) -> None:
    figures = [figures_by_cut(line.metrics) for line in lines]
    reached = [cut for cut in all_cuts() if any(cut in by_cut for by_cut in figures)]
    cuts = [cut for cut in reached if cut.family in (family, FULL.family)]
    dodge = np.linspace(-0.1, 0.1, len(lines)) if len(lines) > 1 else np.zeros(1)
    for i, (line, by_cut) in enumerate(zip(lines, figures, strict=True)):
        places = [place for place, cut in enumerate(cuts) if cut in by_cut]
        at_cuts = [by_cut[cuts[place]] for place in places]
        rows = [figures[line.level] if line.level else figures for figures in at_cuts]
        _line(axis, np.array(places) + dodge[i], rows, line, i)
    axis.set_xticks(range(len(cuts)), [cut.value or "all" for cut in cuts])
    axis.axvline(len(cuts) - 1.5, color="#BBBBBB", linewidth=0.8, linestyle=":")
    tidy(axis)


def _line(axis: Axes, at: Any, rows: Sequence[Mapping[str, Any]], line: Line, i: int) -> None:
    value = np.array([row[line.name] for row in rows], dtype=float)
    interval = np.array([row[f"{line.name}_95"] for row in rows], dtype=float)  # None: NaN
    error = np.maximum(np.abs(interval.T - value), 0.0)
    style: dict[str, Any] = {
        "color": COLOURS[i % len(COLOURS)],
        "marker": MARKERS[i % len(MARKERS)],
    }
    axis.errorbar(at, value, error, linestyle="none", markersize=4.5, capsize=2, **style)
    dashes = DASHES[i % len(DASHES)]
    axis.plot(at[:-1], value[:-1], linestyle=dashes, markersize=4.5, label=line.label, **style)
