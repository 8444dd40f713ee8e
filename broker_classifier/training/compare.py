"""Judging several bundles on the same objects: a report of each, and a figure of all."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.model.bundle import read_bundle
from broker_classifier.model.find_bundle import find_bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.training.data.labelled_objects import DataFolders
from broker_classifier.training.evaluate import Report, evaluate
from broker_classifier.training.judge.bootstrap import Counts, interval, resamples
from broker_classifier.training.judge.cuts import Cut, figures_by_cut
from broker_classifier.training.judge.judged_objects import AUTO, chosen_split, was_trained_on
from broker_classifier.training.judge.predictions import Decisions
from broker_classifier.training.judge.scores import balanced_accuracy, confusion_matrices, rounded
from broker_classifier.training.report.metrics_file import write_json
from broker_classifier.training.report.plots import PLOTS, write_comparison

COMPARISON_FILE = "comparison.json"
FIGURES = ("balanced_accuracy", "macro_f1", "accuracy", "ece")


def compare(
    bundle_paths: Sequence[Path],
    data: DataFolders,
    output_folder: Path,
    split: str = AUTO,
    gate_bundle: Path | None = None,
    plots: Sequence[str] = tuple(PLOTS),
    *,
    report: Callable[[str], None] = lambda message: None,
    track: Track = untracked,
) -> dict[str, Any]:
    """Judge bundles, each into a folder of its own, and write `comparison.json` and its figure.

    Parameters are those of `evaluate`. With the split "auto" all are judged on the test part if
    the data are any bundle's own.

    Returns
    -------
    dict
        `bundles` has the figures of the groups by bundle and cut; `against_the_first` the
        differences of balanced accuracy, on the objects that both judge, drawn anew together.
    """
    folders = [find_bundle(path) for path in bundle_paths]
    names = _names(folders)
    is_own_data = any(was_trained_on(data, read_bundle(path).description) for path in folders)
    split = chosen_split(split, is_own_data=is_own_data)
    reports = {
        name: evaluate(
            path, data, output_folder / name, split, gate_bundle, plots, report=report, track=track
        )
        for name, path in track(list(zip(names, folders, strict=True)), "bundles")
    }
    first = reports[names[0]]
    comparison = {
        "data": first.metrics["data"],
        "split": split,
        "first": names[0],
        "bundles": {name: _figures(report.metrics) for name, report in reports.items()},
        "against_the_first": {name: _differences(first, reports[name]) for name in names[1:]},
    }
    write_json(output_folder / COMPARISON_FILE, comparison)
    write_comparison({name: r.metrics for name, r in reports.items()}, output_folder)
    return comparison


def _names(paths: Sequence[Path]) -> list[str]:
    """Name bundles by their folders, and by more of the path if folders have the same name."""
    resolved = [path.absolute() for path in paths]
    if len(set(resolved)) < len(resolved):
        msg = "the same bundle is named twice: compare different ones"
        raise DataError(msg)
    longest = max(len(path.parts) for path in resolved)
    for n_parts in range(1, longest + 1):
        names = ["-".join(path.parts[-n_parts:]).replace("/", "") for path in resolved]
        if len(set(names)) == len(names):
            break
    return names


def _figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    kept = [kept for name in FIGURES for kept in (name, f"{name}_95")]
    by_cut = {cut.key: figures["grouped"] for cut, figures in figures_by_cut(metrics).items()}
    return {
        "bundle": metrics["bundle"],
        "n_objects": metrics["n_objects"],
        **{cut: {name: groups[name] for name in kept} for cut, groups in by_cut.items()},
    }


def _differences(first: Report, other: Report) -> dict[str, Any]:
    """Compare the balanced accuracy of groups; nothing if the bundles have different groups."""
    if first.metrics["groups"] != other.metrics["groups"]:
        return {}
    shared = [cut for cut in first.predictions if cut in other.predictions]
    return {cut.key: _difference(first, other, cut) for cut in shared}


def _difference(first: Report, other: Report, cut: Cut) -> dict[str, Any]:
    reports = (first, other)
    ids = [[e.object_id for e in report.predictions[cut].examples] for report in reports]
    _, *places = np.intersect1d(ids[0], ids[1], return_indices=True)
    decisions = [report.predictions[cut].decisions(report.judged.bundle) for report in reports]
    target = decisions[0].target[places[0]]
    once = np.ones((1, len(target)), dtype=np.float32)
    counts = np.concatenate([once, resamples(target)])
    before, after = (
        _balanced_accuracies(target, decided, place, counts)
        for decided, place in zip(decisions, places, strict=True)
    )
    difference = after - before
    return {
        "n": len(target),
        "balanced_accuracy": rounded(difference[0]),
        "balanced_accuracy_95": interval(difference[1:]),
    }


def _balanced_accuracies(
    target: NDArray[np.int64], decisions: Decisions, place: NDArray[np.intp], counts: Counts
) -> NDArray[np.float64]:
    decided, n_groups = decisions.decided[place], len(decisions.groups)
    matrices = confusion_matrices(target, decided, n_groups, counts)
    return balanced_accuracy(matrices)
