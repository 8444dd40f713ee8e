"""The figures of a card: at every cut, in the grouping of Superphot+, cross-validated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from broker_classifier.errors import ConfigError
from broker_classifier.training.judge.scores import DECISION_RULE, METRICS_FILE
from broker_classifier.training.recipe import Recipe
from broker_classifier.training.report.card_tables import number, span, table, with_interval

_POOLED = ("n_objects", "by_detections", "by_days", "by_fraction", "full", "superphot_plus")


def figures_section(metrics: Mapping[str, Any]) -> str:
    """Write the figures of a bundle's test objects."""
    rules = "\n".join(f"- {what}: {rule}." for what, rule in DECISION_RULE.items())
    return (
        f"## Figures\n\nOn the {metrics['n_objects']} {metrics['split']} objects of "
        f"`{metrics['data']}`, which no part of the training has seen. BA is balanced accuracy, "
        "the mean recall. Groups join SNIa, SNIa-91bg and SNIax, and SNII and SNIIn. In brackets, "
        "95 % bootstrap intervals over objects. Judged is the first episode with two or more "
        "points. Days count from its first detection, to the end of the night; fractions are of "
        "its time span.\n\n"
        f"{rules}\n\n{_table(metrics)}\n\n"
        "![accuracy and calibration](accuracy.png)\n\n![confusion matrices](confusion.png)\n\n"
        "![reliability](reliability.png)\n\n![precision and recall](precision-recall.png)\n\n"
        f"{_recalls(metrics)}\n\n{_superphot(metrics)}"
    ).rstrip()


def pooled_figures(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Read the figures of a cross-validation.

    Raises
    ------
    ConfigError
        The folder has none, or that of another recipe.
    """
    path = folder / METRICS_FILE
    try:
        found = orjson.loads(path.read_bytes())
        judged, folds = found["recipe"], len(found["folds"])
        pooled = {name: found[name] for name in _POOLED}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        msg = f"{path} is not of a cross-validation ({error}): give the OUTPUT of cross-validate"
        raise ConfigError(msg) from error
    if judged != {"name": recipe.name, "version": recipe.version}:
        msg = f"{path} judges {judged}, not {recipe.name} {recipe.version}: give its own"
        raise ConfigError(msg)
    return pooled | {"n_folds": folds}


def cross_validation_section(pooled: Mapping[str, Any] | None) -> str:
    """Write `pooled_figures`, if there are any."""
    if pooled is None:
        return ""
    return (
        f"## Cross-validation\n\nThe same recipe trained {pooled['n_folds']} times, with other "
        "objects set aside and another seed each time: "
        f"{pooled['n_objects']} objects, each judged by a bundle that has not seen it. It judges "
        "the recipe, not these very weights.\n\n"
        f"{_table(pooled)}\n\n{_superphot(pooled)}"
    ).rstrip()


def _table(metrics: Mapping[str, Any]) -> str:
    rows = [_figure_row(_detections(n), m) for n, m in metrics["by_detections"].items()]
    rows += [_figure_row(f"{d} days", m) for d, m in metrics["by_days"].items()]
    rows += [_figure_row(f"{f} of the time span", m) for f, m in metrics["by_fraction"].items()]
    rows.append(_figure_row("whole light curve", metrics["full"]))
    head = ("known", "n", "BA, groups", "BA", "accuracy", "macro-F1, groups", "ECE")
    return table(head, rows)


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


def _detections(n: str) -> str:
    return f"{n} detection" if n == "1" else f"{n} detections"
