"""Panels of one light curve: its points, and the bundle's answers as they followed each other."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from broker_classifier.light_curve import BANDS, LIMIT_SIGMAS, Kind, LightCurve
from broker_classifier.light_curve.photometry import NJY_PER_MICROJY
from broker_classifier.model.band_colours import BAND_COLOURS
from broker_classifier.model.class_colours import class_colour
from broker_classifier.training.judge.explanation import Explanation
from broker_classifier.training.report.plots.style import (
    BAND_MARKERS,
    GREY,
    LIMIT_MARKER,
    SMALL,
    tidy,
)

DAYS_BEFORE, DAYS_AFTER = 15.0, 5.0  # around the answers: what else is shown of the points
MARGIN, MARGIN_DAYS = 0.05, 0.5  # of the time axis: a share of it, and at least so many days
SMALLEST, LARGEST = 3.0, 11.0  # markers, in points
UNUSED = 5.0
SHOWN_SHARE = 0.005  # thinner than a line: classes that never reach it have no name in the legend


def days(explained: Explanation, mjd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count days from the first answer."""
    return np.asarray(mjd - explained.mjd[0])


def span(explained: Explanation) -> tuple[float, float]:
    """Give the days that are drawn: of the points from a little before the first answer on."""
    last = float(explained.mjd[-1] - explained.mjd[0])
    at = days(explained, explained.curve.mjd)
    shown = at[(at >= -DAYS_BEFORE) & (at <= last + DAYS_AFTER)]
    low, high = float(shown.min()), float(shown.max())
    margin = max(MARGIN * (high - low), MARGIN_DAYS)
    return low - margin, high + margin


def heights(curve: LightCurve) -> NDArray[np.float64]:
    """Give where each point is drawn, in µJy: at its flux, or at its upper limit."""
    is_limit = curve.kind == Kind.UPPER_LIMIT
    drawn = np.where(is_limit, LIMIT_SIGMAS * curve.psf_flux_err, curve.psf_flux)
    return np.asarray(drawn / NJY_PER_MICROJY)


def draw_points(axis: Axes, explained: Explanation) -> None:
    """Draw fluxes by band; larger where there is more attention, hollow where not used."""
    curve, attention = explained.curve, explained.answer.attention
    is_used = np.zeros(len(curve), dtype=bool)
    is_used[explained.answer.used] = True
    for band in sorted(set(curve.band.tolist())):
        in_band = curve.band == band
        _draw_used(axis, explained, np.flatnonzero(in_band & is_used), BANDS[band], attention)
        _draw_unused(axis, explained, in_band & ~is_used, BANDS[band])
    axis.axhline(0.0, color=GREY, linewidth=0.7)
    axis.set_xlim(span(explained))
    _keep_used_in_view(axis, explained.used)
    tidy(axis)


def _draw_unused(axis: Axes, explained: Explanation, which: NDArray[np.bool_], letter: str) -> None:
    points = LightCurve(explained.curve.points[which])
    is_limit = points.kind == Kind.UPPER_LIMIT
    style: dict[str, Any] = {
        "linestyle": "none",
        "color": BAND_COLOURS[letter],
        "markerfacecolor": "none",
        "markersize": UNUSED,
        "alpha": 0.7,
    }
    for is_shown, marker, label in (
        (~is_limit, BAND_MARKERS[letter], f"{letter}, not used"),
        (is_limit, LIMIT_MARKER, f"{letter}, upper limit"),
    ):
        if is_shown.any():
            at, height = days(explained, points.mjd[is_shown]), heights(points)[is_shown]
            axis.plot(at, height, marker=marker, label=label, **style)


def _draw_used(
    axis: Axes,
    explained: Explanation,
    index: NDArray[np.intp],
    letter: str,
    attention: NDArray[np.float64] | None,
) -> None:
    if not len(index):
        return
    points = LightCurve(explained.curve.points[index])
    at, flux = days(explained, points.mjd), points.psf_flux / NJY_PER_MICROJY
    colour, error = BAND_COLOURS[letter], points.psf_flux_err / NJY_PER_MICROJY
    axis.errorbar(at, flux, error, linestyle="none", color=colour, linewidth=0.8)
    size = np.full(len(index), (SMALLEST + LARGEST) / 2)
    if attention is not None:
        weight = attention[np.isin(explained.answer.used, index)]
        size = SMALLEST + (LARGEST - SMALLEST) * np.sqrt(weight / attention.max())
    style: dict[str, Any] = {"color": colour, "edgecolor": "white", "linewidth": 0.5, "zorder": 3.0}
    axis.scatter(at, flux, size**2, marker=BAND_MARKERS[letter], label=letter, **style)


def _keep_used_in_view(axis: Axes, used: LightCurve) -> None:
    """Choose the heights for the points that count: a bad one among the others may be anywhere."""
    low = min(0.0, float((used.psf_flux - used.psf_flux_err).min()))
    high = float((used.psf_flux + used.psf_flux_err).max())
    margin = 0.08 * (high - low)
    axis.set_ylim((low - margin) / NJY_PER_MICROJY, (high + margin) / NJY_PER_MICROJY)


def draw_probabilities(axis: Axes, explained: Explanation) -> None:
    """Stack the classes' probabilities; an answer holds until the next one."""
    low, high = span(explained)
    at = np.append(days(explained, explained.mjd), high)
    steps = np.vstack([explained.probabilities, explained.probabilities[-1:]])
    classes = explained.bundle.classes
    labels = [
        name if share >= SHOWN_SHARE else f"_{name}"
        for name, share in zip(classes, steps.max(axis=0), strict=True)
    ]
    axis.stackplot(
        at, steps.T, step="post", labels=labels, colors=[class_colour(name) for name in classes]
    )
    axis.set_xlim(low, high)
    axis.set_ylim(0.0, 1.0)
    axis.tick_params(labelsize=SMALL)
    axis.spines[["top", "right"]].set_visible(False)
