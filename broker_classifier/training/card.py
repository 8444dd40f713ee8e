"""The model card: `README.md` of a bundle, written from the description and the figures."""

from pathlib import Path

from broker_classifier.errors import ConfigError
from broker_classifier.model.bundle import read_bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.training.data.labelled_objects import DataFolders
from broker_classifier.training.data.split import TEST
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.judge.scores import METRICS_FILE
from broker_classifier.training.recipe import Recipe
from broker_classifier.training.report.card_figures import (
    pooled_figures,
)
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

    With the folder of a cross-validation of its recipe, they tell that too.

    Raises
    ------
    ConfigError
        The recipe or the cross-validation is another bundle's.
    """
    trained = read_bundle(folder).description
    if (recipe.name, recipe.classes) != (trained.name, trained.classes):
        msg = f"the bundle {folder} is {trained.name}, the recipe is {recipe.name}'s: give its own"
        raise ConfigError(msg)
    pooled = pooled_figures(cross_validation, recipe) if cross_validation else None
    report = evaluate(folder, data, folder, TEST, gate_bundle, CARD_PLOTS, track=track)
    metrics = report.metrics
    if pooled:
        metrics = metrics | {"cross_validation": pooled}
        write_json(folder / METRICS_FILE, metrics)
    (folder / CARD_FILE).write_text(card_text(report.judged.bundle, recipe.card, metrics))
