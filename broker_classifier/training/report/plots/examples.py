"""One example per class: its light curve with the attention, and its answers over time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from broker_classifier.light_curve import BANDS
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.class_colours import class_colour
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import FULL, Cut
from broker_classifier.training.judge.explanation import Explanation, explanation_of
from broker_classifier.training.judge.groups import group_labels
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.report.plots.light_curve import draw_points, draw_probabilities
from broker_classifier.training.report.plots.style import SMALL

COLUMNS = 4
MARKER_AREA = 40.0  # of bands in the legend, points squared


def examples_figure(predictions: Mapping[Cut, Predictions], bundle: Bundle) -> Figure:
    """Draw the middling object of each class that occurs, see `middling_examples`."""
    full = predictions[FULL]
    shown = middling_examples(full, bundle.classes)
    decided = decided_groups(full, bundle)
    n_columns = min(COLUMNS, len(shown))
    n_rows = -(-len(shown) // n_columns)
    figure = Figure(figsize=(3.0 * n_columns + 0.4, 3.4 * n_rows + 0.7), layout="constrained")
    ratios = {"height_ratios": [2.0, 1.0] * n_rows}
    axes = figure.subplots(2 * n_rows, n_columns, squeeze=False, gridspec_kw=ratios)
    for axis in axes.ravel():
        axis.set_visible(False)
    for i, (name, example) in enumerate(shown.items()):
        row, column = 2 * (i // n_columns), i % n_columns
        explained = explanation_of(example.object_id, example.curves[0], bundle)
        _draw(axes[row, column], axes[row + 1, column], explained)
        own = explained.answer.probabilities[bundle.classes.index(name)]
        verdict = f"P({name}) = {own:.2f} at the end,\ndecided {decided[example.canonical_id]}"
        axes[row, column].set_title(f"{name}, {example.canonical_id}\n{verdict}", fontsize=8)
        if column == 0:
            axes[row, column].set_ylabel("flux (µJy)", fontsize=9)
            axes[row + 1, column].set_ylabel("probability", fontsize=9)
    _legend(figure, axes[::2].ravel().tolist(), bundle.classes)
    figure.supxlabel(
        "days after the first answer (probabilities: natural prior; decided: equal prior)",
        fontsize=9,
    )
    return figure


def middling_examples(full: Predictions, classes: Sequence[str]) -> dict[str, Example]:
    """Choose of each class that occurs the object in the middle, by its class's probability.

    Half of its class are recognised better, half worse. Of an even number, it is the worse of two.
    """
    own = full.probabilities[np.arange(len(full.target)), full.target]
    middling = {}
    for k, name in enumerate(classes):
        of_class = np.flatnonzero(full.target == k)
        if len(of_class):
            order = of_class[np.argsort(own[of_class], kind="stable")]
            middling[name] = full.examples[int(order[(len(of_class) - 1) // 2])]
    return middling


def decided_groups(full: Predictions, bundle: Bundle) -> dict[str, str]:
    """Give the label of the group that is decided for, under equal priors, by object."""
    decisions = full.decisions(bundle)
    labels = group_labels(bundle.classes)
    names = [labels[k] for k in decisions.decided.tolist()]
    return {e.canonical_id: name for e, name in zip(full.examples, names, strict=True)}


def _draw(points: Axes, answers: Axes, explained: Explanation) -> None:
    draw_points(points, explained)
    draw_probabilities(answers, explained)
    points.tick_params(labelbottom=False, labelsize=SMALL)
    for axis in (points, answers):
        axis.set_visible(True)


def _legend(figure: Figure, points: Sequence[Axes], classes: Sequence[str]) -> None:
    """Name all bands and classes once, above the panels: not every object has every band."""
    named: dict[str, Any] = {}
    for axis in points:
        handles, labels = axis.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    named = {letter: named[letter] for letter in BANDS if letter in named}
    for name in classes:
        named[name] = Patch(color=class_colour(name))
    place: dict[str, Any] = {"loc": "outside upper center", "ncols": 6, "frameon": False}
    legend = figure.legend(named.values(), named.keys(), fontsize=8, **place)
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([MARKER_AREA])
