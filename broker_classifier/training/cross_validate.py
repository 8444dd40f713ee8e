"""Cross-validation: a recipe judged on every object, each by a bundle that has not seen it.

A tenth of the objects has a dozen of each rare class. Figures of a dozen objects say little.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from broker_classifier.errors import ConfigError
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
from broker_classifier.training.recipe import read_recipe
from broker_classifier.training.report.metrics_file import checked_folder, write_json
from broker_classifier.training.report.plots import POOLED_PLOTS, write_plots
from broker_classifier.training.train import is_complete, train


def cross_validate(
    recipe_path: str | Path,
    data: DataFolders,
    output_folder: str | Path,
    n_folds: int = N_FOLDS,
    report: Callable[[str], None] = lambda message: None,
    device: str = "auto",
    track: Track = untracked,
) -> dict[str, Any]:
    """Train a bundle for each fold, and judge them together on the test objects of all folds.

    The bundle of fold k has seed k. A complete fold is not trained again. An interrupted fold goes
    on after its last epoch.

    Parameters
    ----------
    recipe_path : path
    data : path or sequence of paths
    output_folder : path
        Gets a bundle for each fold, `metrics.json` and plots.
    n_folds : int
        From 1 to `N_FOLDS`; only all of them judge every object.
    report : callable
        Takes one line of progress at a time.
    device : str
        "auto", "cpu" or "cuda".
    track : Track
        Shows how far it is.

    Returns
    -------
    dict
        The content of `metrics.json`, as `evaluate` writes it, with the bundles' hashes as `folds`.
        It has no attention. It has no gates, except that of forced supernovae if the recipe has
        `alerts_only`.

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
        if not is_complete(folder, recipe, fold):
            report(f"fold {fold} of {n_folds}")
            train_fold(folder, fold, report, fold=fold)
        judged.append(read_judged(folder, data, TEST))
    pooled = pooled_predictions([predict(of_fold.examples, of_fold.bundle) for of_fold in judged])
    bundle = judged[0].bundle
    metrics = {
        "recipe": {"name": bundle.name, "version": bundle.version},
        "data": name_of(data),
        "split": TEST,
        "folds": [of_fold.bundle.hash for of_fold in judged],
        "classes": list(bundle.classes),
        "groups": group_names(bundle.classes),
        "n_objects": sum(len(of_fold.examples) for of_fold in judged),
        "labels_left_out": labels_left_out(data, bundle.classes),
        "rule": DECISION_RULE,
        **figures(pooled, bundle, track),
        "gates": _gates(judged),
    }
    write_json(output / METRICS_FILE, metrics)
    write_plots(metrics, pooled, bundle, output, POOLED_PLOTS)
    return metrics


def _gates(judged: Sequence[Judged]) -> dict[str, Any]:
    """Try the gate that needs many supernovae, if the recipe is made for it."""
    if SUPERNOVA not in judged[0].bundle.description.training.alerts_only:
        return {}
    return {FORCED_GATE: pooled_forced_supernovae([fold.evidence for fold in judged])}
