"""A blend beside its members, on objects that none of them has seen: tables for people."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from broker_classifier.errors import ConfigError
from broker_classifier.model.bundle import Bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.training.data.labelled_objects import DataFolders, name_of
from broker_classifier.training.data.split import TEST
from broker_classifier.training.judge.cuts import FULL
from broker_classifier.training.judge.judged_objects import read_judged
from broker_classifier.training.judge.paired import (
    TEN_CUTS,
    ByCut,
    Difference,
    differences,
    figures_at,
)
from broker_classifier.training.judge.predictions import pooled_predictions, predict

BLEND = "blend"
KIND = {True: "alerts", False: "forced photometry"}


def baselines(
    cross_validation: Path, data: DataFolders, output: Path, track: Track = untracked
) -> str:
    """Judge the folds of a blend and its members, and write a Markdown file; return its text.

    Parameters
    ----------
    cross_validation : path
        What `cross_validate` wrote of a blend's recipe; all folds that are there count.
    data : path or sequence of paths
        The data of the cross-validation.
    output : path
        The Markdown file.
    track : Track
        Shows how far it is.

    Raises
    ------
    ConfigError
        The folder has no fold of a blend.
    """
    folds = sorted(cross_validation.glob("fold-[0-9]"))
    parts: dict[str, list[ByCut]] = {}
    classes: tuple[str, ...] = ()
    for folder in track(folds, "folds"):
        judged = read_judged(folder, data, TEST)
        if not judged.bundle.members:
            msg = f"{folder} is no blend: give the cross-validation of a blend's recipe"
            raise ConfigError(msg)
        classes = judged.bundle.classes
        for name, bundle in _of_blend(judged.bundle).items():
            parts.setdefault(name, []).append(predict(judged.examples, bundle))
    if not parts:
        msg = f"{cross_validation} has no folder fold-0: give the output of cross-validate"
        raise ConfigError(msg)
    pooled = {name: pooled_predictions(of_folds) for name, of_folds in parts.items()}
    text = tables(pooled, classes, f"{len(folds)} folds of {name_of(data)}")
    output.write_text(text)
    return text


def _of_blend(blend: Bundle) -> dict[str, Bundle]:
    names = list(blend.description.members)
    return {**dict(zip(names, blend.members, strict=True)), BLEND: blend}


def tables(pooled: Mapping[str, ByCut], classes: tuple[str, ...], title: str) -> str:
    """Lay out the figures of a blend and its members, and their differences, as Markdown.

    Parameters
    ----------
    pooled : mapping of str to predictions by cut
        The members in their order, then the blend.
    classes : tuple of str
    title : str
        Folds and data.
    """
    n = len(pooled[BLEND][FULL].examples)
    heading = f"## {title}: {n} objects, each judged by bundles that have not seen it"
    parts = [heading, _table_of_figures(pooled, classes)]
    first, *others = pooled
    for name, beside in [*((first, other) for other in others), *((o, BLEND) for o in others[:-1])]:
        parts.append(_table_of_differences(name, beside, pooled, classes))
    return "\n\n".join(parts) + "\n"


def _table_of_figures(pooled: Mapping[str, ByCut], classes: tuple[str, ...]) -> str:
    """Lay out a row a figure and model, a column a cut and their mean."""
    cuts = [cut for cut in TEN_CUTS if cut in pooled[BLEND]]
    figures = {
        name: [figures_at(by_cut[cut], classes) for cut in cuts] for name, by_cut in pooled.items()
    }
    rows = [("", [cut.title for cut in cuts], "mean")]
    rows.append(("objects", [str(f.n) for f in figures[BLEND]], ""))
    for title, field in (
        ("balanced accuracy", "balanced_accuracy"),
        ("log loss", "log_loss"),
        ("accuracy", "accuracy"),
        ("ECE", "ece"),
    ):
        for name, at_cuts in figures.items():
            values = [float(getattr(f, field)) for f in at_cuts]
            mean = f"{sum(values) / len(values):.3f}"
            rows.append((f"{title}, {name}", [f"{v:.3f}" for v in values], mean))
    for name, at_cuts in figures.items():
        values = [f.recall["TDE"] for f in at_cuts if "TDE" in f.recall]
        if values:
            mean = f"{sum(values) / len(values):.2f}"
            rows.append((f"recall of TDE, {name}", [f"{v:.2f}" for v in values], mean))
    return _markdown(rows)


def _table_of_differences(
    first: str, second: str, pooled: Mapping[str, ByCut], classes: tuple[str, ...]
) -> str:
    """Lay out a row a figure; the log loss is told of alerts and of forced photometry, too."""
    accuracy, loss = differences(pooled[first], pooled[second], classes)
    of_figures = {"balanced accuracy": accuracy, "log loss": loss}
    kinds = {example.is_alert for example in pooled[BLEND][FULL].examples}
    for is_alert in sorted(kinds, reverse=True) if len(kinds) == 2 else ():
        before, after = (_of_kind(pooled[name], is_alert) for name in (first, second))
        of_figures[f"log loss, {KIND[is_alert]}"] = differences(before, after, classes)[1]
    cuts = [cut for cut in TEN_CUTS if cut in accuracy]
    rows = [(f"{second} minus {first}", [cut.title for cut in cuts], "mean")]
    for title, by_cut in of_figures.items():
        rows.append((title, [_written(by_cut.get(cut)) for cut in cuts], _written(by_cut[None])))
    return _markdown(rows)


def _of_kind(by_cut: ByCut, is_alert: bool) -> ByCut:
    """Keep the objects that were seen as alerts, or those seen in forced photometry."""
    kept = {}
    for cut, at_cut in by_cut.items():
        is_kept = [example.is_alert == is_alert for example in at_cut.examples]
        if any(is_kept):
            kept[cut] = at_cut.take(np.flatnonzero(is_kept))
    return kept


def _written(difference: Difference | None) -> str:
    """Write a difference with its interval; "-" where no object reaches the cut."""
    if difference is None:
        return "-"
    low, high = difference.interval
    return f"{difference.value:+.3f} ({low:+.3f} to {high:+.3f})"


def _markdown(rows: list[tuple[str, list[str], str]]) -> str:
    lines = ["| " + " | ".join([first, *cells, last]) + " |" for first, cells, last in rows]
    ruler = "|" + "---|" * (len(rows[0][1]) + 2)
    return "\n".join([lines[0], ruler, *lines[1:]])
