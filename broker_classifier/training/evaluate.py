"""Judging a bundle on labelled light curves, at every cut: `metrics.json` and plots.

The decision rules stand in `judge/scores.py` and, in words, in `metrics.json` itself.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from broker_classifier.model.bundle import Bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.training import make_callable
from broker_classifier.training.data.labelled_objects import (
    DataFolders,
    labels_left_out,
    name_of,
)
from broker_classifier.training.judge.attention_profile import attention_by_class
from broker_classifier.training.judge.bootstrap import mean_interval
from broker_classifier.training.judge.cuts import FULL, MAIN_CUTS, Cut, all_cuts
from broker_classifier.training.judge.gates.gates import provenance_gates
from broker_classifier.training.judge.groups import group_names, grouped
from broker_classifier.training.judge.judged_objects import AUTO, Judged, read_judged
from broker_classifier.training.judge.predictions import Predictions, predict
from broker_classifier.training.judge.scores import (
    DECISION_RULE,
    METRICS_FILE,
    metrics_at_a_cut,
)
from broker_classifier.training.judge.subscribers.delivery import subscriber_figures
from broker_classifier.training.judge.superphot import superphot_figures
from broker_classifier.training.report.metrics_file import checked_folder, write_json
from broker_classifier.training.report.plots import PLOTS, write_plots


class Report(NamedTuple):
    """What `evaluate` found: the content of `metrics.json`, and the predictions behind it."""

    judged: Judged
    metrics: dict[str, Any]
    predictions: dict[Cut, Predictions]


def evaluate(
    bundle_path: str | Path,
    data: DataFolders,
    output_folder: str | Path,
    split: str = AUTO,
    gate_bundle: Path | None = None,
    plots: Sequence[str] = tuple(PLOTS),
    *,
    report: Callable[[str], None] = lambda message: None,
    track: Track = untracked,
) -> Report:
    """Judge a bundle and write `metrics.json` and plots.

    Parameters
    ----------
    bundle_path : path
        A folder, or the name of a shipped bundle.
    data : path or sequence of paths
        Folders as `data/labelled_objects.py` describes them. Labels that the bundle does not know
        are counted in `labels_left_out`.
    output_folder : path
        Made if absent.
    split : str
        "train", "validation" or "test" for the part of the bundle's own data that has this name,
        or "all". "auto" takes the test part of its own data, and all of others.
    gate_bundle : path, optional
        A bundle trained by the same recipe on no forced photometry of supernovae, or the
        cross-validation of such a recipe; see `gates`.
    plots : sequence of str
        File names, of `PLOTS`.
    report : callable
        Takes a line that says which objects are judged, and how many the bundle has seen.
    track : Track
        Shows how far it is.

    Raises
    ------
    BundleError, ConfigError, DataError
        The bundle, the folder or the data cannot be used.
    """
    output = checked_folder(output_folder)
    judged = read_judged(bundle_path, data, split)
    report(judged.told(name_of(data)))
    bundle, predictions = judged.bundle, predict(judged.examples, judged.bundle)
    metrics = {
        "bundle": {"name": bundle.name, "version": bundle.version, "hash": bundle.hash},
        "data": name_of(data),
        "split": judged.split,
        "classes": list(bundle.classes),
        "groups": group_names(bundle.classes),
        "n_objects": len(judged.examples),
        "n_without_detection": len(judged.chosen) - len(judged.examples),
        "labels_left_out": labels_left_out(data, bundle.classes),
        "rule": DECISION_RULE,
        **figures(predictions, bundle, track),
        "gates": provenance_gates(judged.evidence, gate_bundle, track),
        "attention": attention_by_class(judged.examples, bundle),
    }
    write_json(output / METRICS_FILE, metrics)
    write_plots(metrics, predictions, bundle, output, track(plots, "plots"))
    return Report(judged, metrics, predictions)


def figures(
    predictions: Mapping[Cut, Predictions], bundle: Bundle, track: Track = untracked
) -> dict[str, Any]:
    """Compute the figures of predictions, as they stand in `metrics.json`.

    Parameters
    ----------
    predictions : mapping of Cut to Predictions
    bundle : Bundle
        One of those that made them.
    track : Track
    """
    return {
        **_at_cuts(predictions, bundle, track),
        "superphot_plus": superphot_figures(predictions[FULL], bundle),
        "subscribers": subscriber_figures(predictions, bundle),
        "by_source": _by_source(predictions, bundle),
    }


def _at_cuts(
    predictions: Mapping[Cut, Predictions], bundle: Bundle, track: Track
) -> dict[str, Any]:
    by_family: dict[str, Any] = {cut.family: {} for cut in all_cuts()}
    for cut, at_cut in track(predictions.items(), "cuts"):
        answers = at_cut.target, at_cut.probabilities, at_cut.prior, bundle.classes
        values = metrics_at_a_cut(*answers)
        values["grouped"] = metrics_at_a_cut(*grouped(*answers))
        if cut == FULL:
            by_family[cut.family] = values
        else:
            by_family[cut.family][cut.value] = values
    return by_family


def _by_source(predictions: Mapping[Cut, Predictions], bundle: Bundle) -> dict[str, Any]:
    """Give the shares of decisions (groups, equal prior) about each class, source by source."""
    return {
        cut.key: _source_rows(predictions[cut], bundle) for cut in MAIN_CUTS if cut in predictions
    }


def _source_rows(at_cut: Predictions, bundle: Bundle) -> list[dict[str, Any]]:
    decisions, pipeline = at_cut.decisions(bundle), [e.pipeline for e in at_cut.examples]
    rows = []
    for target in np.unique(at_cut.target).tolist():
        is_class = at_cut.target == target
        for origin in sorted({pipeline[i] for i in np.flatnonzero(is_class)}):
            decided = decisions.decided[is_class & np.array([p == origin for p in pipeline])]
            is_group = (decided[:, None] == np.arange(len(decisions.groups))).astype(np.float64)
            shares, groups = is_group.mean(axis=0).round(4).tolist(), decisions.groups
            intervals = map(mean_interval, is_group.T)
            rows.append(
                {
                    "class": bundle.classes[target],
                    "source": origin.source,
                    "is_alert": origin.is_alert,
                    "n": len(decided),
                    "decided": dict(zip(groups, shares, strict=True)),
                    "decided_95": dict(zip(groups, intervals, strict=True)),
                }
            )
    return rows


make_callable(__name__)
