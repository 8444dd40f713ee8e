"""The poster's future work: how wide an attention, d_a, and how many hops of it, r."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from broker_classifier.progress import Track, untracked
from broker_classifier.training.poster.comparison import ATTENTIVE, PLAIN, scatter
from broker_classifier.training.poster.figures import sweep_figure
from broker_classifier.training.poster.gains import Gain, Level, balanced_accuracy_of, gain, levels
from broker_classifier.training.poster.protocol import Protocol
from broker_classifier.training.poster.runs import Result, Run, Settings, do_runs, prepare_folder
from broker_classifier.training.poster.sample import Sample
from broker_classifier.training.report.plots.style import save

TABLE_FILE, REPORT_FILE, FIGURE_FILE = "sweep.csv", "sweep.md", "sweep.png"
COLUMNS = ("d_a", "r", "seed", "parameters", "balanced_accuracy", "validation_accuracy", "epoch")


def sweep(
    sample: Sample,
    settings: Settings,
    output: str | Path,
    *,
    protocol: Protocol,
    percent: int,
    widths: Sequence[int],
    hops: Sequence[int],
    seeds: Sequence[int],
    report: Callable[[str], None] = lambda message: None,
    track: Track = untracked,
) -> Path:
    """Train the attentive GRU at every d_a and r, and the GRU beside it; write table and plot.

    Parameters
    ----------
    sample : Sample
    settings : Settings
    output : path
        A folder for `sweep.csv` (a row for each run), `sweep.md` and `sweep.png`; runs that it has
        already are taken from there.
    protocol : Protocol
    percent : int
        Of the light curve.
    widths, hops, seeds : sequence of int
        Values of d_a, of r, and seeds.
    report : callable
        Takes one line of progress at a time.
    track : Track
        Shows how far it is.

    Returns
    -------
    Path
        Of the table in Markdown.
    """
    folder = Path(output)
    prepare_folder(folder, settings, sample)
    tried = [(width, r) for width in widths for r in hops]
    plain = {seed: Run(protocol, PLAIN, percent, seed) for seed in seeds}
    attentive = {
        (width, r, seed): gru._replace(model=ATTENTIVE, config=(("attention", width), ("hops", r)))
        for seed, gru in plain.items()
        for width, r in tried
    }
    runs = [*plain.values(), *attentive.values()]
    results = do_runs(runs, sample, settings, folder, report, track)
    names = levels(sample.classes)
    level = names.get("groups", names["classes"])
    without = {seed: results[run] for seed, run in plain.items()}
    by_size = {
        (width, r): {seed: results[attentive[width, r, seed]] for seed in seeds}
        for width, r in tried
    }
    _write_rows(folder / TABLE_FILE, by_size, without, level)
    title = f"{protocol}, {percent} % of the light curve, {len(seeds)} seeds ± standard error"
    accuracies = {size: _accuracies(by_seed, level) for size, by_seed in by_size.items()}
    save(sweep_figure(accuracies, _accuracies(without, level), title), folder / FIGURE_FILE)
    path = folder / REPORT_FILE
    path.write_text(_table(by_size, without, level))
    return path


def _accuracies(by_seed: dict[int, Result], level: Level) -> list[float]:
    return [balanced_accuracy_of(result, level) for result in by_seed.values()]


def _write_rows(
    path: Path,
    by_size: dict[tuple[int, int], dict[int, Result]],
    without: dict[int, Result],
    level: Level,
) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for (width, r), by_seed in {(0, 0): without, **by_size}.items():  # 0, 0: the GRU
            for seed, result in by_seed.items():
                rows.writerow(
                    [
                        *(width, r, seed, result.n_parameters),
                        round(balanced_accuracy_of(result, level), 4),
                        round(result.validation_accuracy, 4),
                        result.best_epoch,
                    ]
                )


def _table(
    by_size: dict[tuple[int, int], dict[int, Result]], without: dict[int, Result], level: Level
) -> str:
    lines = [
        "Balanced accuracy over seeds ± their standard deviation; gain on the GRU of the same "
        "seeds ± half of the 95 % interval.",
        "",
        "| d_a | r | parameters | balanced accuracy | gain on the GRU | it |",
        "|---|---|---|---|---|---|",
        _row("GRU", "", without, level, None),
    ]
    for (width, r), by_seed in by_size.items():
        lines.append(_row(str(width), str(r), by_seed, level, gain(by_seed, without, level)))
    return "\n".join([*lines, "", _best(by_size, level), ""])


def _row(width: str, r: str, by_seed: dict[int, Result], level: Level, gained: Gain | None) -> str:
    n_parameters = next(iter(by_seed.values())).n_parameters
    gain_cell = "|  |" if gained is None else f"| {gained.mean:+.3f} ± {gained.interval:.3f} |"
    verdict = "" if gained is None else gained.verdict()
    accuracy = scatter(_accuracies(by_seed, level))
    return f"| {width} | {r} | {n_parameters} | {accuracy} {gain_cell} {verdict} |"


def _best(by_size: dict[tuple[int, int], dict[int, Result]], level: Level) -> str:
    """Choose by the validation objects, and give the accuracy of the choice on the test objects."""
    validated = {
        size: float(np.mean([r.validation_accuracy for r in by_seed.values()]))
        for size, by_seed in by_size.items()
    }
    width, r = max(validated, key=lambda size: validated[size])
    accuracy = scatter(_accuracies(by_size[width, r], level))
    return f"Best on the validation objects: d_a = {width}, r = {r}; on the test {accuracy}."
