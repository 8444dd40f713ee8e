"""Why a bundle says what it says: light curve, attention, input and answers over one time axis."""

from datetime import UTC, datetime
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker_classifier.light_curve import BANDS
from broker_classifier.light_curve.photometry import (
    NJY_PER_MICROJY,
    SECONDS_PER_DAY,
    flux_from_magnitude,
    unix_from_mjd,
)
from broker_classifier.light_curve.rejections import counted
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

TITLE_WIDTH = 90  # letters
BRIGHTEST_MAG, FAINTEST_MAG = 10.0, 26.0
MAGNITUDES_APART = 0.07  # of the height of the panel
N_DATES = 6  # on fewer days, dates have the time of day


def explanation_figure(explained: Explanation, *, with_input: bool = False) -> Figure:
    """Draw the points, the attention and the probabilities; and the input, where it is wanted."""
    ratios = [3.0, 1.2, *([1.6, 1.2] if with_input else []), 2.2]
    figure = Figure(figsize=(9.5, 11.0 if with_input else 8.2), layout="constrained")
    panels = figure.subplots(len(ratios), 1, sharex=True, gridspec_kw={"height_ratios": ratios})
    points, attention, *inputs, answers = panels
    draw_points(points, explained)
    points.set_ylabel("difference flux (µJy)")
    _draw_magnitudes(points)
    _draw_dates(points, explained)
    _draw_attention(attention, explained)
    if with_input:
        flux, gap = inputs
        _draw_input(flux, gap, explained)
    draw_probabilities(answers, explained)
    answers.set_ylabel("probability")
    answers.set_xlabel(f"days after the first answer, MJD {explained.mjd[0]:.4f}")
    _draw_legends(points, attention, answers, has_attention=explained.answer.attention is not None)
    figure.suptitle(_title(explained, points.get_ylim()), fontsize=11)
    return figure


def _draw_magnitudes(axis: Axes) -> None:
    """Put AB magnitudes at the right, where the flux is positive."""
    low, high = axis.get_ylim()
    right = axis.twinx()
    right.set_ylim(low, high)
    magnitudes = np.arange(BRIGHTEST_MAG, FAINTEST_MAG, 0.5)
    places = [flux_from_magnitude(magnitude) / NJY_PER_MICROJY for magnitude in magnitudes]
    shown: list[tuple[float, float]] = []
    for magnitude, place in zip(magnitudes.tolist(), places, strict=True):
        is_apart = not shown or shown[-1][1] - place > MAGNITUDES_APART * (high - low)
        if 0.0 < place < high and is_apart:
            shown.append((magnitude, place))
    right.set_yticks([place for _, place in shown], [f"{magnitude:g}" for magnitude, _ in shown])
    right.set_ylabel("AB magnitude")
    right.spines[["top"]].set_visible(False)
    right.tick_params(labelsize=8)


def _draw_dates(axis: Axes, explained: Explanation) -> None:
    """Put calendar dates at the top."""
    first, last = span(explained)
    top = axis.secondary_xaxis("top")
    at = np.linspace(first, last, 7)[1:-1]
    moments = unix_from_mjd(explained.mjd[0]) + at * SECONDS_PER_DAY
    form = "%Y-%m-%d" if last - first > N_DATES else "%m-%d %H:%M"
    texts = [datetime.fromtimestamp(moment, UTC).strftime(form) for moment in moments.tolist()]
    top.set_xticks(at, texts)
    top.tick_params(labelsize=8)


def _draw_legends(points: Axes, attention: Axes, answers: Axes, *, has_attention: bool) -> None:
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.06, 1.0), "frameon": False}
    size = "marker size: attention" if has_attention else None
    points.legend(title=size, title_fontsize=8, fontsize=8, **beside)
    answers.legend(reverse=True, fontsize=8, **beside)  # as they are stacked
    if attention.get_legend_handles_labels()[0]:
        attention.legend(fontsize=8, **beside)


def _draw_input(flux: Axes, gap: Axes, explained: Explanation) -> None:
    """Draw what the network gets: the flux carried forward, and how old it is."""
    formula = explained.bundle.description.input.flux_formula()
    has_gap = f"gap_{explained.bundle.selection.bands[0]}" in explained.inputs
    _draw_channels(flux, explained, "flux", f"input: flux f as\n{formula}")
    if has_gap:
        _draw_channels(gap, explained, "gap", "input: days since\nthe band's last point")
    else:
        _draw_channels(gap, explained, "void", "input: cells to\nthe nearest point")


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
    even = "if all points counted alike"
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
            values = np.expm1(values) if channel == "gap" else values  # from ln(1 + days)
            values = np.where(explained.inputs[f"seen_{letter}"] > 0, values, np.nan)
        style: dict[str, Any] = {"color": BAND_COLOURS[letter], "linewidth": 1.2, "markersize": 2.5}
        drawn: dict[str, Any] = {} if has_grid else {"marker": ".", "drawstyle": drawstyle}
        axis.plot(at, values, label=letter, **style, **drawn)
    axis.set_xlim(span(explained))
    tidy(axis)


def _title(explained: Explanation, view: tuple[float, float]) -> str:
    unused = counted(explained.answer.rejected)
    n_outside = _n_outside(explained, view)
    outside = f" ({n_outside} not in view)" if n_outside else ""
    why = f"Not used: {unused}{outside}." if unused else ""
    model = f"{explained.bundle.name} {explained.bundle.version}"
    lines = [explained.sentence(), *([fill(why, TITLE_WIDTH)] if why else []), f"Model: {model}"]
    return "\n".join(lines)


def _n_outside(explained: Explanation, view: tuple[float, float]) -> int:
    """Count the points that lie beyond the axes; all that count are within."""
    (first, last), (low, high) = span(explained), view
    at, height = days(explained, explained.curve.mjd), heights(explained.curve)
    return int((~((first <= at) & (at <= last) & (low <= height) & (height <= high))).sum())
