"""Why a bundle says what it says: light curve, attention, input and answers over one time axis."""

from collections import Counter
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker_classifier.light_curve import BANDS
from broker_classifier.model.band_colours import BAND_COLOURS
from broker_classifier.training.judge.explanation import Explanation
from broker_classifier.training.report.plots.light_curve import (
    days,
    draw_points,
    draw_probabilities,
    heights,
    span,
)
from broker_classifier.training.report.plots.style import GREY, tidy

GAPS = {"gap": "gap, ln(1 + days)", "void": "void, cells"}  # which of them, by the kind of input
TITLE_WIDTH = 90  # letters


def explanation_figure(explained: Explanation) -> Figure:
    """Draw five panels: points, attention, flux and gap channels of the input, probabilities."""
    figure = Figure(figsize=(9.5, 11.0), layout="constrained")
    ratios = {"height_ratios": [3.0, 1.2, 1.6, 1.2, 2.2]}
    points, attention, flux, gap, answers = figure.subplots(5, 1, sharex=True, gridspec_kw=ratios)
    draw_points(points, explained)
    points.set_ylabel("difference flux (µJy)")
    _draw_attention(attention, explained)
    gap_channel = (
        "gap" if f"gap_{explained.bundle.selection.bands[0]}" in explained.inputs else "void"
    )
    formula = explained.bundle.description.input.flux_formula()
    _draw_channels(flux, explained, "flux", f"input: flux f as\n{formula}")
    _draw_channels(gap, explained, gap_channel, f"input:\n{GAPS[gap_channel]}")
    draw_probabilities(answers, explained)
    answers.set_ylabel("probability\n(natural prior)")
    answers.set_xlabel(f"days after the first answer, MJD {explained.mjd[0]:.4f}")
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
    size = None if explained.answer.attention is None else "marker size: attention"
    points.legend(title=size, title_fontsize=8, fontsize=8, **place)
    answers.legend(reverse=True, fontsize=8, **place)  # as they are stacked
    if attention.get_legend_handles_labels()[0]:
        attention.legend(fontsize=8, **place)
    figure.suptitle(_title(explained, points.get_ylim()), fontsize=11)
    return figure


def _draw_attention(axis: Axes, explained: Explanation) -> None:
    """Draw the weight of each point after the last one, and the line where all have the same."""
    weights, used = explained.answer.attention, explained.used
    axis.set_ylabel("attention")
    if weights is None:
        axis.text(0.5, 0.5, "this network has none", transform=axis.transAxes, color=GREY)
        axis.set_yticks([])
        return
    for band in sorted(set(used.band.tolist())):
        in_band = used.band == band
        at, colour = days(explained, used.mjd[in_band]), BAND_COLOURS[BANDS[band]]
        axis.vlines(at, 0.0, weights[in_band], colors=colour, linewidth=2.0)
    even = f"1/n, n = {len(used)}"
    axis.axhline(1.0 / len(used), color=GREY, linewidth=0.8, linestyle="--", label=even)
    axis.set_ylim(0.0, None)
    tidy(axis)


def _draw_channels(axis: Axes, explained: Explanation, channel: str, label: str) -> None:
    """Draw a channel of every band: of each point, or in each cell of the grid."""
    at = days(explained, explained.input_mjd)
    axis.set_ylabel(label, fontsize=9)
    if len(at) == 1 and f"{channel}_day" not in explained.inputs and len(explained.used) > 1:
        axis.text(
            0.5, 0.5, "one row of features for each answer", transform=axis.transAxes, color=GREY
        )
        axis.set_yticks([])
        return
    has_grid = (
        channel == "void" or f"void_{explained.bundle.selection.bands[0]}" in explained.inputs
    )
    drawstyle = "steps-post" if channel == "flux" else "default"  # it is carried forward
    for letter in explained.bundle.selection.bands:
        values = explained.inputs[f"{channel}_{letter}"].astype(np.float64)
        if not has_grid:
            values = np.where(explained.inputs[f"seen_{letter}"] > 0, values, np.nan)
        style: dict[str, Any] = {"color": BAND_COLOURS[letter], "linewidth": 1.2, "markersize": 2.5}
        drawn: dict[str, Any] = {} if has_grid else {"marker": ".", "drawstyle": drawstyle}
        axis.plot(at, values, label=letter, **style, **drawn)
    axis.set_ylabel(label, fontsize=9)
    axis.set_xlim(span(explained))
    tidy(axis)


def _title(explained: Explanation, view: tuple[float, float]) -> str:
    probability = float(explained.answer.probabilities.max())
    n_used, n = len(explained.answer.used), len(explained.curve)
    unused = Counter(filter(None, explained.answer.rejected))
    reasons = ", ".join(f"{reason} {count}" for reason, count in unused.most_common())
    n_outside = _n_outside(explained, view)
    outside = f" ({n_outside} not in view)" if n_outside else ""
    why = f"; not used: {reasons}{outside}" if unused else ""
    return (
        f"{explained.name}: {explained.top_class} {probability:.2f}, "
        f"{explained.bundle.name} {explained.bundle.version}\n"
        + fill(f"{n_used} of {n} points used{why}", TITLE_WIDTH)
    )


def _n_outside(explained: Explanation, view: tuple[float, float]) -> int:
    """Count the points that lie beyond the axes; all that count are within."""
    (first, last), (low, high) = span(explained), view
    at, height = days(explained, explained.curve.mjd), heights(explained.curve)
    return int((~((first <= at) & (at <= last) & (low <= height) & (height <= high))).sum())
