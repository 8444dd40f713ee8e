"""Plots of an evaluation: PNG files beside `metrics.json`."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from broker_classifier.model.bundle import Bundle
from broker_classifier.training.judge.cuts import Cut
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.report.plots.accuracy import accuracy_figure, comparison_figure
from broker_classifier.training.report.plots.attention import attention_figure
from broker_classifier.training.report.plots.confusion import all_cuts_figure, confusion_figure
from broker_classifier.training.report.plots.examples import examples_figure
from broker_classifier.training.report.plots.reliability import reliability_figure
from broker_classifier.training.report.plots.roc import precision_recall_figure, roc_figure
from broker_classifier.training.report.plots.style import save

Draw = Callable[[Mapping[str, Any], Mapping[Cut, Predictions], Bundle], Figure]

PLOTS: dict[str, Draw] = {
    "accuracy.png": lambda metrics, *_: accuracy_figure(metrics),
    "confusion.png": lambda metrics, *_: confusion_figure(metrics),
    "confusion-groups.png": lambda metrics, *_: all_cuts_figure(metrics, "grouped"),
    "confusion-classes.png": lambda metrics, *_: all_cuts_figure(metrics, None),
    "reliability.png": lambda _, predictions, __: reliability_figure(predictions),
    "roc.png": lambda metrics, predictions, _: roc_figure(metrics, predictions),
    "precision-recall.png": lambda metrics, predictions, _: precision_recall_figure(
        metrics, predictions
    ),
    "attention.png": lambda metrics, *_: attention_figure(metrics),
    "examples.png": lambda _, predictions, bundle: examples_figure(predictions, bundle),
}
CARD_PLOTS = (
    "accuracy.png",
    "confusion.png",
    "reliability.png",
    "precision-recall.png",
    "attention.png",
    "examples.png",
)
POOLED_PLOTS = tuple(name for name in PLOTS if name not in ("attention.png", "examples.png"))
COMPARISON_PLOT = "comparison.png"


def write_plots(
    metrics: Mapping[str, Any],
    predictions: Mapping[Cut, Predictions],
    bundle: Bundle,
    folder: Path,
    names: Iterable[str] = tuple(PLOTS),
) -> None:
    """Draw plots of one bundle by their file names."""
    for name in names:
        save(PLOTS[name](metrics, predictions, bundle), folder / name)


def write_comparison(reports: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Draw several bundles in one figure, by what they are called."""
    save(comparison_figure(reports), folder / COMPARISON_PLOT)
