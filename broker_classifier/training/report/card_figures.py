"""The card's figures: at every cut, in the grouping of Superphot+, and cross-validated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from broker_classifier.errors import ConfigError
from broker_classifier.training.judge.cuts import FULL, Cut, all_cuts, figures_by_cut
from broker_classifier.training.judge.groups import group_labels, group_positions
from broker_classifier.training.judge.scores import DECISION_RULE, METRICS_FILE
from broker_classifier.training.recipe import Recipe
from broker_classifier.training.report.card_tables import number, span, table, with_interval

_FAMILIES = tuple(dict.fromkeys(cut.family for cut in all_cuts()))
_POOLED = ("n_objects", *_FAMILIES, "superphot_plus")


def figures_section(metrics: Mapping[str, Any]) -> str:
    """Write the figures of a bundle's test objects."""
    rules = "\n".join(f"- {figures}: {rule}." for figures, rule in DECISION_RULE.items())
    return (
        f"## Figures\n\nThe figures are of the {metrics['n_objects']} {metrics['split']} objects "
        f"of `{metrics['data']}`. No part of the training has seen them. BA is balanced accuracy, "
        f"the mean recall.{_groups(metrics['classes'])} Brackets hold 95 % bootstrap intervals "
        "over objects. The first episode with two or more points is judged. Days count from its "
        "first detection and include the rest of the night. Parts of the time span count from its "
        "first point.\n\n"
        f"{rules}\n\n{_table(metrics)}\n\n"
        "![accuracy and calibration](accuracy.png)\n\n![confusion matrices](confusion.png)\n\n"
        "![reliability](reliability.png)\n\n![precision and recall](precision-recall.png)\n\n"
        f"{_recalls(metrics)}\n\n{_superphot(metrics)}"
    ).rstrip()


def _groups(classes: Sequence[str]) -> str:
    """Say which classes form a group.

    >>> _groups(("SNIa", "SNIax", "SNII")), _groups(("SNIa", "SNII"))
    (' The group SNIa+Iax joins SNIa and SNIax.', '')
    """
    joined, position = "", group_positions(classes).tolist()
    for group, label in enumerate(group_labels(classes)):
        *names, last = (name for name, at in zip(classes, position, strict=True) if at == group)
        joined += f" The group {label} joins {', '.join(names)} and {last}." if names else ""
    return joined


def pooled_figures(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Read the figures of a cross-validation.

    Raises
    ------
    ConfigError
        The folder has none, or that of another recipe.
    """
    path = folder / METRICS_FILE
    try:
        metrics = orjson.loads(path.read_bytes())
        judged, n_folds = metrics["recipe"], len(metrics["folds"])
        pooled = {name: metrics[name] for name in _POOLED}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        msg = f"{path} is not of a cross-validation ({error}): give the OUTPUT of cross-validate"
        raise ConfigError(msg) from error
    if judged != {"name": recipe.name, "version": recipe.version}:
        msg = f"{path} judges {judged}, not {recipe.name} {recipe.version}: give its own"
        raise ConfigError(msg)
    return pooled | {"n_folds": n_folds}


def cross_validation_section(pooled: Mapping[str, Any] | None) -> str:
    """Write `pooled_figures`, if there are any."""
    if pooled is None:
        return ""
    return (
        f"## Cross-validation\n\nThe same recipe was trained {pooled['n_folds']} times, each time "
        "with another seed and other objects set aside. Each of the "
        f"{pooled['n_objects']} objects is judged by the bundle that has not seen it. These "
        "figures judge the recipe, not the weights of this bundle.\n\n"
        f"{_table(pooled)}\n\n{_superphot(pooled)}"
    ).rstrip()


def _table(metrics: Mapping[str, Any]) -> str:
    rows = [_figure_row(cut, figures) for cut, figures in figures_by_cut(metrics).items()]
    head = ("judged at", "n", "BA, groups", "BA", "accuracy", "macro-F1, groups", "ECE")
    return table(head, rows)


def _recalls(metrics: Mapping[str, Any]) -> str:
    rows = [
        (cut.title, *(number(figures["recall"][name]) for name in metrics["classes"]))
        for cut, figures in figures_by_cut(metrics).items()
        if cut.family in ("by_detections", FULL.family)
    ]
    full = metrics["full"]["recall_95"]
    rows.append(("95 %", *(span(full[name]) for name in metrics["classes"])))
    return "Recall of each class, equal prior:\n\n" + table(
        ("judged at", *metrics["classes"]), rows
    )


def _superphot(metrics: Mapping[str, Any]) -> str:
    figures = metrics["superphot_plus"]
    if not figures or not figures["n"]:
        return ""
    text = (
        f"In the grouping of Superphot+ ({', '.join(figures['groups'])}), over the whole light "
        f"curves of {figures['n']} objects, under the natural prior: macro-F1 "
        f"{with_interval(figures, 'macro_f1')}, accuracy {with_interval(figures, 'accuracy')}. "
        "Objects of other types are left out."
    )
    if "four_groups" in figures:
        four = figures["four_groups"]
        text += (
            " The bundle has no class SNIIn, so no SNIIn counts as right. With SNIIn joined to "
            f"SNII macro-F1 is {with_interval(four, 'macro_f1')} and accuracy "
            f"{with_interval(four, 'accuracy')}."
        )
    return text


def _figure_row(cut: Cut, figures: Mapping[str, Any]) -> tuple[str, ...]:
    groups = figures["grouped"]
    return (
        cut.title,
        str(figures["n"]),
        with_interval(groups, "balanced_accuracy"),
        with_interval(figures, "balanced_accuracy"),
        with_interval(figures, "accuracy"),
        with_interval(groups, "macro_f1"),
        with_interval(figures, "ece", digits=3),
    )
