"""The text of a model card."""

from collections.abc import Mapping
from typing import Any

from broker_classifier.model.bundle import Bundle
from broker_classifier.training.judge.cuts import cut_of
from broker_classifier.training.judge.groups import group_labels
from broker_classifier.training.recipe_tables import Card
from broker_classifier.training.report.card_figures import (
    cross_validation_section,
    figures_section,
)
from broker_classifier.training.report.card_gates import (
    attention_section,
    examples_section,
    gates_section,
)
from broker_classifier.training.report.card_subscribers import subscribers_section
from broker_classifier.training.report.card_tables import number, table


def card_text(bundle: Bundle, card: Card, metrics: Mapping[str, Any]) -> str:
    """Write the card of a bundle.

    Parameters
    ----------
    card : Card
        What only a person can say, from the recipe.
    metrics : mapping
        Of the test objects, as in `metrics.json`; `cross_validation` is there if there was one.
    """
    sections = [
        f"# {bundle.name} {bundle.version}",
        card.about,
        _input(bundle),
        figures_section(metrics),
        subscribers_section(metrics.get("subscribers")),
        cross_validation_section(metrics.get("cross_validation")),
        gates_section(metrics["gates"], bundle.classes),
        _by_source(metrics, card.provenance_class) if card.provenance_class else "",
        attention_section(metrics["attention"]),
        examples_section(),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in card.limits),
        _making(bundle),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _input(bundle: Bundle) -> str:
    selection, training = bundle.selection, bundle.description.training
    rows = [
        (name, *(training.n_objects[part].get(name, 0) for part in training.n_objects))
        for name in bundle.classes
    ]
    prior = bundle.description.calibration.prior
    rows = [(*row, f"{p:.4f}") for row, p in zip(rows, prior, strict=True)]
    return (
        "## What it takes and gives\n\n"
        f"It takes {' and '.join(selection.kinds)} points of {bundle.survey} in "
        f"{', '.join(selection.bands)}: the first of each band and night, in the first "
        f"{selection.window_days:g} days of the newest episode. A new episode begins after "
        f"{selection.episode_gap_days:g} days without a point, or after "
        f"{selection.isolated_gap_days:g} days if the one before has a single point. It gives "
        "calibrated probabilities under the natural prior: the class frequencies of the training "
        "objects. Divide by the prior for equal priors.\n\n"
        + table(("class", *training.n_objects, "prior"), rows)
    )


def _by_source(metrics: Mapping[str, Any], name: str) -> str:
    rows = []
    for key, sources in metrics["by_source"].items():
        for row in sources:
            if row["class"] == name:
                shares = map(number, row["decided"].values())
                kind = "alerts" if row["is_alert"] else "made like alerts"
                rows.append((cut_of(key).title, row["source"], kind, str(row["n"]), *shares))
    head = ("judged at", "source", "points", "n", *group_labels(metrics["classes"]))
    return (
        f"Decisions (groups, equal prior) about the {name} of the test objects, by source:\n\n"
        + table(head, rows)
    )


def _making(bundle: Bundle) -> str:
    record = bundle.description.training
    return (
        f"## How it was made\n\nRecipe `{record.recipe}`, data `{record.data}`, seed "
        f"{record.seed}, commit `{record.commit}`, {record.date}. Objects are assigned to train, "
        "validation and test by a hash of their id (`training/data/split.py`). What was tried is "
        "in `models/LOG.md`."
    )
