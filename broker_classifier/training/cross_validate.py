"""Cross-validation: a recipe judged on every object, each by a bundle that has not seen it.

A tenth of the objects is a dozen of the rare classes, and figures of a dozen objects say little.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from broker_classifier.errors import ConfigError
from broker_classifier.model.bundle import load_bundle
from broker_classifier.model.find_bundle import DESCRIPTION_FILE
from broker_classifier.progress import Track, untracked
from broker_classifier.training.data.labelled_objects import DataFolders, labels_left_out, name_of
from broker_classifier.training.data.split import N_FOLDS, TEST
from broker_classifier.training.evaluate import figures
from broker_classifier.training.judge.gates.evidence import SUPERNOVA
from broker_classifier.training.judge.gates.forced_supernovae import (
    FORCED_GATE,
    pooled_forced_supernovae,
)
from broker_classifier.training.judge.groups import group_names
from broker_classifier.training.judge.judged_objects import Judged, read_judged
from broker_classifier.training.judge.predictions import pooled_predictions, predict
from broker_classifier.training.judge.scores import DECISION_RULE, METRICS_FILE
from broker_classifier.training.recipe import Recipe, read_recipe
from broker_classifier.training.report.metrics_file import checked_folder, write_json
from broker_classifier.training.report.plots import POOLED_PLOTS, write_plots
from broker_classifier.training.train import train


def cross_validate(
    recipe_path: str | Path,
    data: DataFolders,
    output_folder: str | Path,
    n_folds: int = N_FOLDS,
    report: Callable[[str], None] = lambda message: None,
    device: str = "auto",
    track: Track = untracked,
) -> dict[str, Any]:
    """Train a bundle a fold, and judge them together on the test objects of all folds.

    The bundle of fold k has seed k. Folds that are complete are not trained again, and one that was
    interrupted goes on after its last epoch.

    Parameters
    ----------
    recipe_path : path
    data : path or sequence of paths
    output_folder : path
        Gets a bundle a fold, `metrics.json` and plots.
    n_folds : int
        From 1 to `N_FOLDS`, which are needed for every object to be judged.
    report : callable
        Takes one line of progress at a time.
    device : str
        "auto", "cpu" or "cuda".
    track : Track
        Shows how far it is.

    Returns
    -------
    dict
        The content of `metrics.json`: as that of `evaluate`, without attention and, but for the
        one of forced supernovae of a recipe with `alerts_only`, without gates; `folds` are the
        hashes of the bundles.

    Raises
    ------
    ConfigError, DataError
        The recipe, the data or the folder cannot be used.
    """
    if not 1 <= n_folds <= N_FOLDS:
        msg = f"{n_folds} folds cannot be: there are 1 to {N_FOLDS}"
        raise ConfigError(msg)
    output, recipe = checked_folder(output_folder), read_recipe(recipe_path)
    judged: list[Judged] = []
    train_fold = partial(train, recipe_path, data, resume=True, device=device, track=track)
    for fold in track(range(n_folds), "folds"):
        folder = output / f"fold-{fold}"
        if not _is_complete(folder, recipe, fold):
            report(f"fold {fold}, of {n_folds}")
            train_fold(folder, fold, report, fold=fold)
        judged.append(read_judged(folder, data, TEST))
    pooled = pooled_predictions([predict(one.examples, one.bundle) for one in judged])
    bundle = judged[0].bundle
    metrics = {
        "recipe": {"name": bundle.name, "version": bundle.version},
        "data": name_of(data),
        "split": TEST,
        "folds": [one.bundle.hash for one in judged],
        "classes": list(bundle.classes),
        "groups": group_names(bundle.classes),
        "n_objects": sum(len(one.examples) for one in judged),
        "labels_left_out": labels_left_out(data, bundle.classes),
        "rule": DECISION_RULE,
        **figures(pooled, bundle, track),
        "gates": _gates(judged),
    }
    write_json(output / METRICS_FILE, metrics)
    write_plots(metrics, pooled, bundle, output, POOLED_PLOTS)
    return metrics


def _gates(judged: Sequence[Judged]) -> dict[str, Any]:
    """Pass the gate that asks many supernovae, by a recipe that is made for it."""
    if SUPERNOVA not in judged[0].bundle.description.training.alerts_only:
        return {}
    return {FORCED_GATE: pooled_forced_supernovae([one.evidence for one in judged])}


def _is_complete(folder: Path, recipe: Recipe, fold: int) -> bool:
    """Tell whether a fold's bundle is there; refuse that of another recipe or fold."""
    if not (folder / DESCRIPTION_FILE).exists():
        return False
    found = load_bundle(folder).description
    ours = (recipe.name, recipe.version, recipe.classes, fold)
    if (found.name, found.version, found.classes, found.training.fold) != ours:
        msg = (
            f"{folder} holds {found.name} {found.version}, fold {found.training.fold}, not "
            f"{recipe.name} {recipe.version}, fold {fold}: name another folder with --output"
        )
        raise ConfigError(msg)
    return True
