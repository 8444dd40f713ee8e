"""The model card: `README.md` of a bundle, written from the description and the figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker_classifier.bundle import Bundle, read_bundle
from broker_classifier.errors import ConfigError
from broker_classifier.training.card_provenance import (
    attention_section,
    examples_section,
    gates_section,
)
from broker_classifier.training.card_tables import number, span, table, with_interval
from broker_classifier.training.evaluate import evaluate
from broker_classifier.training.metrics import DECISION_RULE
from broker_classifier.training.objects import DataFolders
from broker_classifier.training.plots import CARD_PLOTS
from broker_classifier.training.recipe import Recipe
from broker_classifier.training.recipe_tables import Card
from broker_classifier.training.split import TEST

CARD_FILE = "README.md"


def renew_card(
    folder: Path, recipe: Recipe, data: DataFolders, gate_bundle: Path | None = None
) -> None:
    """Judge a bundle on the test objects of its data, and write its figures, plots and card.

    Raises
    ------
    ConfigError
        The recipe is another bundle's.
    """
    trained = read_bundle(folder).description
    if (recipe.name, recipe.classes) != (trained.name, trained.classes):
        msg = f"the bundle {folder} is {trained.name}, the recipe is {recipe.name}'s: give its own"
        raise ConfigError(msg)
    report = evaluate(folder, data, folder, TEST, gate_bundle, CARD_PLOTS)
    text = card_text(report.judged.bundle, recipe.card, report.metrics)
    (folder / CARD_FILE).write_text(text)


def card_text(bundle: Bundle, card: Card, metrics: Mapping[str, Any]) -> str:
    """Write the card of a bundle.

    Parameters
    ----------
    card : Card
        What only a person can say, from the recipe.
    metrics : mapping
        Of the test objects, as in `metrics.json`.
    """
    sections = [
        f"# {bundle.name} {bundle.version}",
        card.about,
        _input(bundle),
        _figures(metrics),
        _recalls(metrics),
        _superphot(metrics),
        gates_section(metrics["gates"]),
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
        f"Takes {' and '.join(selection.kinds)} points of {bundle.survey} in "
        f"{', '.join(selection.bands)}, the first of each band and night, of the newest episode "
        f"(a new one begins after {selection.episode_gap_days:g} days without a point, or after "
        f"{selection.isolated_gap_days:g} if there was only one), its first "
        f"{selection.window_days:g} days. Gives calibrated probabilities under the natural prior, "
        "the class frequencies of the training objects; divide by it for equal priors.\n\n"
        + table(("class", *training.n_objects, "prior"), rows)
    )


def _figures(metrics: Mapping[str, Any]) -> str:
    rows = [_figure_row(_detections(n), m) for n, m in metrics["by_detections"].items()]
    rows += [_figure_row(f"{d} days", m) for d, m in metrics["by_days"].items()]
    rows += [_figure_row(f"{f} of the time span", m) for f, m in metrics["by_fraction"].items()]
    rows.append(_figure_row("whole light curve", metrics["full"]))
    rules = "\n".join(f"- {what}: {rule}." for what, rule in DECISION_RULE.items())
    head = ("known", "n", "BA, groups", "BA", "accuracy", "macro-F1, groups", "ECE")
    return (
        f"## Figures\n\nOn the {metrics['n_objects']} {metrics['split']} objects of "
        f"`{metrics['data']}`, which no part of the training has seen. BA is balanced accuracy, "
        "the mean recall. Groups join SNIa, SNIa-91bg and SNIax. In brackets, 95 % bootstrap "
        "intervals over objects. Judged is the first episode with two or more points. Days count "
        "from its first detection, to the end of the night; fractions are of its time span.\n\n"
        f"{rules}\n\n{table(head, rows)}\n\n"
        "![accuracy and calibration](accuracy.png)\n\n![confusion matrices](confusion.png)\n\n"
        "![reliability](reliability.png)\n\n![precision and recall](precision-recall.png)"
    )


def _figure_row(known: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    group = values["grouped"]
    return (
        known,
        str(values["n"]),
        with_interval(group, "balanced_accuracy"),
        with_interval(values, "balanced_accuracy"),
        with_interval(values, "accuracy"),
        with_interval(group, "macro_f1"),
        with_interval(values, "ece", digits=3),
    )


def _recalls(metrics: Mapping[str, Any]) -> str:
    cuts = {_detections(n): m for n, m in metrics["by_detections"].items()}
    cuts["whole light curve"] = metrics["full"]
    rows = [
        (known, *(number(values["recall"][name]) for name in metrics["classes"]))
        for known, values in cuts.items()
    ]
    full = metrics["full"]["recall_95"]
    rows.append(("95 %", *(span(full[name]) for name in metrics["classes"])))
    return "Recall of each class, equal prior:\n\n" + table(("known", *metrics["classes"]), rows)


def _superphot(metrics: Mapping[str, Any]) -> str:
    figures = metrics["superphot_plus"]
    if not figures or not figures["n"]:
        return ""
    text = (
        f"In the grouping of Superphot+ ({', '.join(figures['groups'])}; whole light curves, "
        f"natural prior, {figures['n']} objects, others left out): macro-F1 "
        f"{with_interval(figures, 'macro_f1')}, accuracy {with_interval(figures, 'accuracy')}."
    )
    if "four_groups" in figures:
        four = figures["four_groups"]
        text += (
            " The bundle has no class SNIIn, which so counts as never found; with SNIIn joined to "
            f"SNII: {with_interval(four, 'macro_f1')} and {with_interval(four, 'accuracy')}."
        )
    return text


def _by_source(metrics: Mapping[str, Any], name: str) -> str:
    rows = []
    for cut, found in metrics["by_source"].items():
        for row in found:
            if row["class"] == name:
                shares = map(number, row["decided"].values())
                rows.append((cut.replace("_", " "), row["source"], str(row["n"]), *shares))
    head = ("known", "source", "n", *metrics["groups"])
    return (
        f"Decisions (groups, equal prior) about the {name} of the test objects, by source:\n\n"
        + table(head, rows)
    )


def _making(bundle: Bundle) -> str:
    record = bundle.description.training
    return (
        f"## How it was made\n\nRecipe `{record.recipe}`, data `{record.data}`, seed "
        f"{record.seed}, commit `{record.commit}`, {record.date}. Objects are assigned to train, "
        "validation and test by a hash of their id (`training/split.py`). What was tried is in "
        "`models/LOG.md`."
    )


def _detections(n: str) -> str:
    return f"{n} detection" if n == "1" else f"{n} detections"
