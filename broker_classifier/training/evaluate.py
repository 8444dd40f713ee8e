"""Judging a bundle on labelled light curves, at every cut: `metrics.json` and plots.

The decision rules stand in `metrics.py` and, in words, in `metrics.json` itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from broker_classifier.errors import DataError
from broker_classifier.model.bundle import Bundle, load_bundle
from broker_classifier.model.find_bundle import find_bundle
from broker_classifier.training import make_callable
from broker_classifier.training.data.labelled_objects import (
    DataFolders,
    LabelledObject,
    labels_left_out,
    name_of,
    preferred_objects,
    read_objects,
)
from broker_classifier.training.data.split import TEST, TRAIN, VALIDATION, split_of
from broker_classifier.training.homogenise.examples import Example, make_examples
from broker_classifier.training.homogenise.homogenisation import Homogenisation, read_homogenisation
from broker_classifier.training.judge.attention_profile import attention_by_class
from broker_classifier.training.judge.bootstrap import mean_interval
from broker_classifier.training.judge.cuts import FULL, MAIN_CUTS, Cut, all_cuts
from broker_classifier.training.judge.gates.evidence import Evidence
from broker_classifier.training.judge.gates.gates import provenance_gates
from broker_classifier.training.judge.groups import group_names, grouped
from broker_classifier.training.judge.predictions import Predictions, predict
from broker_classifier.training.judge.scores import (
    DECISION_RULE,
    METRICS_FILE,
    metrics_at_a_cut,
)
from broker_classifier.training.judge.superphot import superphot_figures
from broker_classifier.training.report.metrics_file import checked_folder, write_json
from broker_classifier.training.report.plots import PLOTS, write_plots

ALL = "all"


@dataclass(frozen=True)
class Judged:
    """A bundle and the objects that it is judged on.

    Attributes
    ----------
    views : list of LabelledObject
        Every view of every object of the bundle's classes, whatever its split.
    chosen : list of LabelledObject
        One view of each object of the split.
    examples : list of Example
        Of those that have a usable detection.
    """

    bundle: Bundle
    rules: Homogenisation
    split: str
    views: list[LabelledObject]
    chosen: list[LabelledObject]
    examples: list[Example]

    @property
    def evidence(self) -> Evidence:
        """What the provenance gates look at."""
        return Evidence(
            self.bundle,
            self.rules,
            self.views,
            is_judged=lambda name: self.split in (ALL, _part_of(name, self.bundle)),
            has_trained=lambda name: self.split != ALL and _part_of(name, self.bundle) == TRAIN,
        )


class Report(NamedTuple):
    """What `evaluate` found: the content of `metrics.json`, and the predictions behind it."""

    judged: Judged
    metrics: dict[str, Any]
    predictions: dict[Cut, Predictions]


def evaluate(
    bundle_path: str | Path,
    data: DataFolders,
    output_folder: str | Path,
    split: str = ALL,
    gate_bundle: Path | None = None,
    plots: Sequence[str] = tuple(PLOTS),
) -> Report:
    """Judge a bundle and write `metrics.json` and plots.

    Parameters
    ----------
    bundle_path : path
        A folder, or the name of a shipped bundle.
    data : path or sequence of paths
        Folders as `objects` describes them. Labels that the bundle does not know are counted in
        `labels_left_out`.
    output_folder : path
        Made if absent.
    split : str
        "all" for data that the bundle was not trained on; "train", "validation" or "test" for the
        part of its own data that has this name.
    gate_bundle : path, optional
        A bundle trained by the same recipe on no forced photometry of supernovae, or the
        cross-validation of such a recipe; see `gates`.
    plots : sequence of str
        File names, of `PLOTS`.

    Raises
    ------
    BundleError, ConfigError, DataError
        The bundle, the folder or the data cannot be used.
    """
    output = checked_folder(output_folder)
    judged = read_judged(bundle_path, data, split)
    bundle, predictions = judged.bundle, predict(judged.examples, judged.bundle)
    metrics = {
        "bundle": {"name": bundle.name, "version": bundle.version, "hash": bundle.hash},
        "data": name_of(data),
        "split": split,
        "classes": list(bundle.classes),
        "groups": group_names(bundle.classes),
        "n_objects": len(judged.examples),
        "n_without_detection": len(judged.chosen) - len(judged.examples),
        "labels_left_out": labels_left_out(data, bundle.classes),
        "rule": DECISION_RULE,
        **figures(predictions, bundle),
        "gates": provenance_gates(judged.evidence, gate_bundle),
        "attention": attention_by_class(judged.examples, bundle),
    }
    write_json(output / METRICS_FILE, metrics)
    write_plots(metrics, predictions, bundle, output, plots)
    return Report(judged, metrics, predictions)


def read_judged(bundle_path: str | Path, data: DataFolders, split: str) -> Judged:
    """Load a bundle and prepare the objects of one split for it.

    Raises
    ------
    BundleError, DataError
        The bundle or the data cannot be used, or no object has a usable detection.
    """
    if split not in (ALL, TRAIN, VALIDATION, TEST):
        msg = f"There is no split {split!r}: use all, train, validation or test"
        raise DataError(msg)
    folder = find_bundle(bundle_path)
    bundle, rules = load_bundle(folder), read_homogenisation(folder)
    views = read_objects(data, bundle.classes)
    one_view = preferred_objects(views)
    chosen = [o for o in one_view if split in (ALL, _part_of(o.canonical_id, bundle))]
    examples = make_examples(chosen, rules, bundle.selection, bundle.classes)
    if not examples:
        msg = f"No object of {name_of(data)} has a usable detection: are its fluxes in nJy?"
        raise DataError(msg)
    return Judged(bundle, rules, split, views, chosen, examples)


def _part_of(canonical_id: str, bundle: Bundle) -> str:
    return split_of(canonical_id, bundle.description.training.fold)


def figures(predictions: Mapping[Cut, Predictions], bundle: Bundle) -> dict[str, Any]:
    """Compute the figures of predictions, as they stand in `metrics.json`.

    Parameters
    ----------
    predictions : mapping of Cut to Predictions
    bundle : Bundle
        One of those that made them.
    """
    return {
        **_at_cuts(predictions, bundle),
        "superphot_plus": superphot_figures(predictions[FULL], bundle),
        "by_source": _by_source(predictions, bundle),
    }


def _at_cuts(predictions: Mapping[Cut, Predictions], bundle: Bundle) -> dict[str, Any]:
    by_family: dict[str, Any] = {cut.family: {} for cut in all_cuts()}
    for cut, at_cut in predictions.items():
        said = at_cut.target, at_cut.probabilities, at_cut.prior, bundle.classes
        values = metrics_at_a_cut(*said)
        values["grouped"] = metrics_at_a_cut(*grouped(*said))
        if cut == FULL:
            by_family[cut.family] = values
        else:
            by_family[cut.family][cut.value] = values
    return by_family


def _by_source(predictions: Mapping[Cut, Predictions], bundle: Bundle) -> dict[str, Any]:
    """Shares of the decisions (groups, equal prior) about each class, source by source."""
    return {
        cut.key: _source_rows(predictions[cut], bundle) for cut in MAIN_CUTS if cut in predictions
    }


def _source_rows(at_cut: Predictions, bundle: Bundle) -> list[dict[str, Any]]:
    decisions, pipeline = at_cut.decisions(bundle), [e.pipeline for e in at_cut.examples]
    rows = []
    for target in np.unique(at_cut.target).tolist():
        is_class = at_cut.target == target
        for one in sorted({pipeline[i] for i in np.flatnonzero(is_class)}):
            mine = decisions.decided[is_class & np.array([p == one for p in pipeline])]
            is_group = (mine[:, None] == np.arange(len(decisions.groups))).astype(np.float64)
            shares, groups = is_group.mean(axis=0).round(4).tolist(), decisions.groups
            intervals = map(mean_interval, is_group.T)
            rows.append(
                {
                    "class": bundle.classes[target],
                    "source": one.source,
                    "is_alert": one.is_alert,
                    "n": len(mine),
                    "decided": dict(zip(groups, shares, strict=True)),
                    "decided_95": dict(zip(groups, intervals, strict=True)),
                }
            )
    return rows


make_callable(__name__)
