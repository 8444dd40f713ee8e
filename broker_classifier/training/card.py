"""The model card: `README.md` of a bundle, written from the description and the figures."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from broker_classifier.bundle import Bundle
from broker_classifier.training.metrics import DECISION_RULE
from broker_classifier.training.recipe import Card

CARD_FILE = "README.md"


def write_card(
    folder: Path,
    bundle: Bundle,
    card: Card,
    metrics: Mapping[str, Any],
    probe: Mapping[int, float | None],
) -> None:
    """Write the card of a bundle beside it.

    Parameters
    ----------
    card : Card
        What only a person can say, from the recipe.
    metrics : mapping
        Of the test objects, as in `metrics.json`.
    probe : mapping of int to float or None
        `source_probe` by number of detections.
    """
    sections = [
        f"# {bundle.name} {bundle.version}",
        card.about,
        _input(bundle),
        _figures(metrics),
        _recalls(metrics),
        *([_provenance(metrics, card.provenance_class, probe)] if probe else []),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in card.limits),
        _making(bundle),
    ]
    (folder / CARD_FILE).write_text("\n\n".join(sections) + "\n")


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
        + _table(("class", *training.n_objects, "prior"), rows)
    )


def _figures(metrics: Mapping[str, Any]) -> str:
    rows = [_figure_row(_detections(n), m) for n, m in metrics["by_detections"].items()]
    rows += [_figure_row(f"{d} days", m) for d, m in metrics["by_days"].items()]
    rows += [_figure_row(f"{f} of the time span", m) for f, m in metrics["by_fraction"].items()]
    rows.append(_figure_row("whole light curve", metrics["full"]))
    rules = "\n".join(f"- {what}: {rule}." for what, rule in DECISION_RULE.items())
    head = ("known", "n", "BA, groups", "95 %", "BA", "accuracy", "macro-F1, groups", "ECE")
    return (
        f"## Figures\n\nOn the {metrics['n_objects']} {metrics['split']} objects of "
        f"`{metrics['data']}`, which no part of the training has seen. BA is balanced accuracy, "
        "the mean recall. Groups join SNIa, SNIa-91bg and SNIax. The interval is a bootstrap "
        "over objects. Judged is the first episode with two or more points. Days count from its "
        "first detection, to the end of the night; fractions are of its time span.\n\n"
        f"{rules}\n\n{_table(head, rows)}\n\n"
        "![balanced accuracy](accuracy.png)\n\n![confusion matrices](confusion.png)\n\n"
        "![reliability](reliability.png)"
    )


def _figure_row(known: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    group = values["grouped"]
    low, high = group["balanced_accuracy_95"]
    return (
        known,
        str(values["n"]),
        f"{group['balanced_accuracy']:.3f}",
        f"{low:.2f}-{high:.2f}",
        f"{values['balanced_accuracy']:.3f}",
        f"{values['accuracy']:.3f}",
        f"{group['macro_f1']:.3f}",
        f"{values['ece']:.3f}",
    )


def _recalls(metrics: Mapping[str, Any]) -> str:
    cuts = {_detections(n): m for n, m in metrics["by_detections"].items()}
    cuts["whole light curve"] = metrics["full"]
    rows = [
        (known, *(_number(values["recall"][name]) for name in metrics["classes"]))
        for known, values in cuts.items()
    ]
    return "Recall of each class, equal prior:\n\n" + _table(("known", *metrics["classes"]), rows)


def _provenance(metrics: Mapping[str, Any], name: str, probe: Mapping[int, float | None]) -> str:
    rows = []
    for cut, found in metrics["by_source"].items():
        for row in found:
            if row["class"] == name:
                shares = (f"{share:.2f}" for share in row["decided"].values())
                rows.append((cut.replace("_", " "), row["source"], str(row["n"]), *shares))
    found = ", ".join(f"{_number(auc)} after {n}" for n, auc in probe.items())
    return (
        "## Does it know the source?\n\nA class must be judged alike wherever its light curves "
        f"come from. Decisions (groups, equal prior) about the {name} of the test objects, by "
        f"source:\n\n{_table(('known', 'source', 'n', *metrics['groups']), rows)}\n\n"
        f"Boosted trees that guess from the model's input whether a training {name} came from "
        f"alerts or from forced photometry reach an AUC (0.5 is chance) of: {found} detections."
    )


def _making(bundle: Bundle) -> str:
    record = bundle.description.training
    return (
        f"## How it was made\n\nRecipe `{record.recipe}`, data `{record.data}`, seed "
        f"{record.seed}, commit `{record.commit}`, {record.date}. Objects are assigned to train, "
        "validation and test by a hash of their id (`training/split.py`). What was tried is in "
        "`models/LOG.md`."
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _detections(n: str) -> str:
    return f"{n} detection" if n == "1" else f"{n} detections"
