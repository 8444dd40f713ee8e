"""The poster done again: its models at parts of the light curve, and what self-attention gains."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from broker_classifier.progress import Track, untracked
from broker_classifier.training.poster.figures import confusion_figure
from broker_classifier.training.poster.gains import (
    Gain,
    Level,
    balanced_accuracy_of,
    gain,
    levels,
    mean_confusion,
)
from broker_classifier.training.poster.protocol import Protocol
from broker_classifier.training.poster.runs import Result, Run, Settings, do_runs, prepare_folder
from broker_classifier.training.poster.sample import Sample
from broker_classifier.training.report.plots.style import save

REPORT_FILE = "report.md"
ATTENTIVE, PLAIN = "attentive_gru", "gru"


def compare(
    sample: Sample,
    settings: Settings,
    output: str | Path,
    *,
    protocols: Sequence[Protocol],
    models: Sequence[str],
    percents: Sequence[int],
    seeds: Sequence[int],
    report: Callable[[str], None] = lambda message: None,
    track: Track = untracked,
) -> Path:
    """Train and test every combination, draw the confusion matrices, and write `report.md`.

    Parameters
    ----------
    sample : Sample
    settings : Settings
    output : path
        A folder; runs that it has already are taken from there.
    protocols, models, percents, seeds : sequences
    report : callable
        Takes one line of progress at a time.
    track : Track
        Shows how far it is.

    Returns
    -------
    Path
        Of the report.
    """
    folder = Path(output)
    prepare_folder(folder, settings, sample)
    # Seed by seed, so that an interruption leaves whole comparisons of the first seeds.
    runs = [
        Run(protocol, model, percent, seed)
        for seed in seeds
        for protocol in protocols
        for percent in percents
        for model in models
    ]
    results = do_runs(runs, sample, settings, folder, report, track)
    sections = [_heading(sample, settings, results)]
    for name, level in levels(sample.classes).items():
        for protocol in protocols:
            figure = _confusions(results, protocol, models, percents, level)
            save(figure, folder / f"confusion-{protocol}-{name}.png")
        sections.append(_accuracies(results, protocols, models, percents, name, level))
        if {ATTENTIVE, PLAIN} <= set(models):
            sections.append(_gains(results, protocols, percents, name, level))
    path = folder / REPORT_FILE
    path.write_text("\n".join(sections))
    return path


def _confusions(
    results: dict[Run, Result],
    protocol: Protocol,
    models: Sequence[str],
    percents: Sequence[int],
    level: Level,
) -> Figure:
    matrices = {
        (percent, model): mean_confusion(_of(results, protocol, model, percent), level)
        for percent in percents
        for model in models
    }
    n_seeds = len({run.seed for run in results})
    title = f"{protocol}, mean of {n_seeds} seeds; rows sum to 1; balanced accuracy"
    return confusion_figure(matrices, models, percents, level.names, title)


def _of(results: dict[Run, Result], protocol: Protocol, model: str, percent: int) -> list[Result]:
    wanted = (protocol, model, percent)
    return [r for run, r in results.items() if (run.protocol, run.model, run.percent) == wanted]


def _heading(sample: Sample, settings: Settings, results: dict[Run, Result]) -> str:
    objects = ", ".join(f"{name} {n}" for name, n in sample.counts().items())
    lines = [
        f"Objects: {objects}; bands {''.join(sample.bands)}.",
        f"Settings: {settings.model_dump_json()}.",
        "",
        "| protocol | seed | train | validate | test | of these seen in training or validation |",
        "|---|---|---|---|---|---|",
    ]
    for (protocol, seed), r in {(run.protocol, run.seed): r for run, r in results.items()}.items():
        n_test = len(r.ids)
        lines.append(
            f"| {protocol} | {seed} | {r.n_training} | {r.n_validation} | {n_test} "
            f"| {r.n_test_seen} ({100 * r.n_test_seen / n_test:.0f} %) |"
        )
    return "\n".join([*lines, ""])


def _accuracies(
    results: dict[Run, Result],
    protocols: Sequence[Protocol],
    models: Sequence[str],
    percents: Sequence[int],
    name: str,
    level: Level,
) -> str:
    lines = [
        f"Balanced accuracy, {name}: mean over seeds ± their standard deviation.",
        "",
        "| protocol | model | " + " | ".join(f"{percent} %" for percent in percents) + " |",
        "|---|---|" + "---|" * len(percents),
    ]
    for protocol in protocols:
        for model in models:
            cells = [
                scatter([balanced_accuracy_of(r, level) for r in _of(results, protocol, model, p)])
                for p in percents
            ]
            lines.append(f"| {protocol} | {model} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _gains(
    results: dict[Run, Result],
    protocols: Sequence[Protocol],
    percents: Sequence[int],
    name: str,
    level: Level,
) -> str:
    lines = [
        f"What self-attention gains the GRU in balanced accuracy, {name}: mean of the paired "
        "differences ± half of the 95 % interval (from seeds, from test objects).",
        "",
        "| protocol | light curve | gain | seeds | objects | n | it |",
        "|---|---|---|---|---|---|---|",
    ]
    verdicts = []
    for protocol in protocols:
        for percent in percents:
            gained = attention_gain(results, protocol, percent, level)
            verdicts.append(gained.verdict())
            lines.append(
                f"| {protocol} | {percent} % | {gained.mean:+.3f} ± {gained.interval:.3f} | "
                f"{gained.from_seeds:.3f} | {gained.from_objects:.3f} | {gained.n_seeds} | "
                f"{gained.verdict()} |"
            )
    helps, hurts = verdicts.count("helps"), verdicts.count("hurts")
    answer = (
        f"Self-attention helps the GRU in {helps} of {len(verdicts)} comparisons and hurts it in "
        f"{hurts}; the 95 % intervals of the others include 0."
    )
    return "\n".join([*lines, "", answer, ""])


def attention_gain(
    results: dict[Run, Result], protocol: Protocol, percent: int, level: Level
) -> Gain:
    """Compare attentive GRU and GRU over the seeds of some results."""
    by_seed: dict[str, dict[int, Result]] = {ATTENTIVE: {}, PLAIN: {}}
    for run, result in results.items():
        if (run.protocol, run.percent) == (protocol, percent) and run.model in by_seed:
            by_seed[run.model][run.seed] = result
    return gain(by_seed[ATTENTIVE], by_seed[PLAIN], level)


def scatter(values: Sequence[float]) -> str:
    """Write a mean with its standard deviation.

    >>> scatter([0.7, 0.8]), scatter([0.7])
    ('.750 ± .071', '.700')
    """
    mean = f"{np.mean(values):.3f}".removeprefix("0")
    if len(values) < 2:
        return mean
    return f"{mean} ± " + f"{np.std(values, ddof=1):.3f}".removeprefix("0")
