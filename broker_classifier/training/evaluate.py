"""Judging a bundle on labelled light curves, at every cut: `metrics.json` and plots.

The decision rules stand in `metrics.py` and, in words, in `metrics.json` itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broker_classifier.bundle import Bundle, load_bundle
from broker_classifier.calibration import calibrated_probabilities
from broker_classifier.errors import DataError
from broker_classifier.training.cuts import Cut, all_cuts, cut_positions
from broker_classifier.training.examples import Example, make_examples
from broker_classifier.training.homogenise import read_homogenisation
from broker_classifier.training.metrics import (
    DECISION_RULE,
    group_names,
    grouped,
    metrics_at_a_cut,
)
from broker_classifier.training.objects import (
    DataFolders,
    LabelledObject,
    name_of,
    preferred_objects,
    read_objects,
)
from broker_classifier.training.plots import write_plots
from broker_classifier.training.prefixes import prefix_logits
from broker_classifier.training.split import TEST, TRAIN, VALIDATION, split_of

ALL = "all"
METRICS_FILE = "metrics.json"
SOURCE_CUTS = (Cut("by_detections", "3"), Cut("by_detections", "10"), Cut("full", ""))


@dataclass(frozen=True)
class Predictions:
    """What a bundle says at one cut about the objects that reach it.

    Attributes
    ----------
    target : int array, shape (n,)
    probabilities : float array, shape (n, K)
        Under the natural prior.
    source : str array, shape (n,)
    """

    target: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    source: NDArray[np.str_]


def evaluate(
    bundle_path: str | Path,
    data: DataFolders,
    output_folder: str | Path,
    split: str = ALL,
) -> dict[str, Any]:
    """Judge a bundle and write `metrics.json` and plots.

    Parameters
    ----------
    bundle_path : path
    data : path or sequence of paths
        Folders as `objects` describes them. Objects of other classes are ignored.
    output_folder : path
        Made if absent.
    split : str
        "all" for data that the bundle was not trained on; "train", "validation" or "test" for the
        part of its own data that has this name.

    Returns
    -------
    dict
        The content of `metrics.json`.

    Raises
    ------
    BundleError, DataError
        The bundle or the data cannot be used.
    """
    bundle = load_bundle(bundle_path)
    rules = read_homogenisation(Path(bundle_path))
    objects = _objects(data, bundle, split)
    examples = make_examples(objects, rules, bundle.selection, bundle.classes)
    if not examples:
        msg = f"No object of {name_of(data)} has a usable detection: are its fluxes in nJy?"
        raise DataError(msg)
    predictions = predict(examples, bundle)
    found = _all_metrics(predictions, bundle)
    metrics = {
        "bundle": {"name": bundle.name, "version": bundle.version, "hash": bundle.hash},
        "data": name_of(data),
        "split": split,
        "classes": list(bundle.classes),
        "groups": group_names(bundle.classes),
        "n_objects": len(examples),
        "n_without_detection": len(objects) - len(examples),
        "rule": DECISION_RULE,
        **found,
        "by_source": _by_source(predictions, bundle),
    }
    output = Path(output_folder)
    output.mkdir(parents=True, exist_ok=True)
    (output / METRICS_FILE).write_bytes(orjson.dumps(metrics, option=orjson.OPT_INDENT_2))
    full = predictions[Cut("full", "")]
    write_plots(metrics, full.target, full.probabilities, output)
    return metrics


def predict(examples: Sequence[Example], bundle: Bundle) -> dict[Cut, Predictions]:
    """Classify examples at every cut that they reach."""
    description = bundle.description
    curves = [e.curves[0] for e in examples]
    logits = prefix_logits(bundle.network, curves, description.selection, description.normalisation)
    rows: dict[Cut, list[tuple[Example, int, NDArray[np.float64]]]] = {c: [] for c in all_cuts()}
    for example, curve, steps in zip(examples, curves, logits, strict=True):
        for cut, position in cut_positions(curve):
            rows[cut].append((example, position + 1, steps[position]))
    found = {}
    for cut, reached in rows.items():
        if reached:
            who, n_points, last = zip(*reached, strict=True)
            found[cut] = Predictions(
                np.array([e.target for e in who]),
                calibrated_probabilities(
                    np.array(last), np.array(n_points), description.calibration
                ),
                np.array([e.source for e in who]),
            )
    return found


def _objects(data: DataFolders, bundle: Bundle, split: str) -> list[LabelledObject]:
    if split not in (ALL, TRAIN, VALIDATION, TEST):
        msg = f"There is no split {split!r}: use all, train, validation or test"
        raise DataError(msg)
    objects = preferred_objects(read_objects(data, bundle.classes))
    if split != ALL:
        objects = [o for o in objects if split_of(o.canonical_id) == split]
    return objects


def _all_metrics(predictions: dict[Cut, Predictions], bundle: Bundle) -> dict[str, Any]:
    prior = np.array(bundle.description.calibration.prior)
    found: dict[str, Any] = {cut.family: {} for cut in all_cuts()}
    for cut, at_cut in predictions.items():
        target, probabilities = at_cut.target, at_cut.probabilities
        values = metrics_at_a_cut(target, probabilities, prior, bundle.classes)
        values["grouped"] = metrics_at_a_cut(*grouped(target, probabilities, prior, bundle.classes))
        if cut.family == "full":
            found["full"] = values
        else:
            found[cut.family][cut.value] = values
    return found


def _by_source(predictions: dict[Cut, Predictions], bundle: Bundle) -> dict[str, Any]:
    """Shares of the decisions (groups, equal prior) about each class, source by source.

    A class must be judged alike wherever its light curves come from.
    """
    prior = np.array(bundle.description.calibration.prior)
    found: dict[str, Any] = {}
    for cut in SOURCE_CUTS:
        if cut not in predictions:
            continue
        at_cut = predictions[cut]
        _, joint, group_prior, names = grouped(
            at_cut.target, at_cut.probabilities, prior, bundle.classes
        )
        decided = (joint / group_prior).argmax(axis=1)
        rows = []
        for target in np.unique(at_cut.target).tolist():
            for source in np.unique(at_cut.source[at_cut.target == target]).tolist():
                mine = decided[(at_cut.target == target) & (at_cut.source == source)]
                shares = np.bincount(mine, minlength=len(names)) / len(mine)
                rows.append(
                    {
                        "class": bundle.classes[target],
                        "source": source,
                        "n": len(mine),
                        "decided": dict(zip(names, shares.round(4).tolist(), strict=True)),
                    }
                )
        found["_".join(part for part in cut if part)] = rows
    return found
