"""The model card: `README.md` of a bundle, written from the description and the figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from broker_classifier.errors import ConfigError
from broker_classifier.model.bundle import read_bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.training.data.labelled_objects import DataFolders
from broker_classifier.training.data.split import TEST
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.judge.gates.forced_supernovae import FORCED_GATE
from broker_classifier.training.judge.scores import METRICS_FILE
from broker_classifier.training.recipe import Recipe
from broker_classifier.training.report.card_figures import pooled_figures
from broker_classifier.training.report.card_text import card_text
from broker_classifier.training.report.metrics_file import write_json
from broker_classifier.training.report.plots import CARD_PLOTS

CARD_FILE = "README.md"


def renew_card(
    folder: Path,
    recipe: Recipe,
    data: DataFolders,
    gate_bundle: Path | None = None,
    cross_validation: Path | None = None,
    track: Track = untracked,
) -> None:
    """Judge a bundle on the test objects of its data, and write its figures, plots and card.

    With the folder of a cross-validation of its recipe, they tell that too. What only the folders
    of other bundles show (a cross-validation, the gate of forced supernovae) stays as it was when
    they are not given and the weights are the same.

    Raises
    ------
    ConfigError
        The recipe or the cross-validation is another bundle's.
    """
    bundle = read_bundle(folder)
    trained = bundle.description
    if (recipe.name, recipe.classes) != (trained.name, trained.classes):
        msg = f"the bundle {folder} is {trained.name}, the recipe is {recipe.name}'s: give its own"
        raise ConfigError(msg)
    before = _figures_of(folder, bundle.hash)
    pooled = pooled_figures(cross_validation, recipe) if cross_validation else None
    report = evaluate(folder, data, folder, TEST, gate_bundle, CARD_PLOTS, track=track)
    metrics = report.metrics | ({"cross_validation": pooled} if pooled else {})
    metrics = _with_evidence(metrics, before)
    write_json(folder / METRICS_FILE, metrics)
    (folder / CARD_FILE).write_text(card_text(report.judged.bundle, recipe.card, metrics))


def _figures_of(folder: Path, bundle_hash: str) -> dict[str, Any]:
    """Read the figures that lie beside a bundle; none if they are another bundle's."""
    try:
        figures: dict[str, Any] = orjson.loads((folder / METRICS_FILE).read_bytes())
        return figures if figures["bundle"]["hash"] == bundle_hash else {}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return {}


def _with_evidence(metrics: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Take over from the figures before what only the folders of other bundles show."""
    if "cross_validation" in before and "cross_validation" not in metrics:
        metrics = metrics | {"cross_validation": before["cross_validation"]}
    former = before.get("gates", {}).get(FORCED_GATE)
    if former and metrics["gates"][FORCED_GATE]["passed"] is None:
        metrics = metrics | {"gates": metrics["gates"] | {FORCED_GATE: former}}
    return metrics
