"""The tables of the documentation that are made of measurements: speed and accuracy.

`docs/how/bench.json` is a copy of what `make bench` writes; each bundle has its `metrics.json`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tables import table

DOCS = Path(__file__).parent
BENCH_FILE = DOCS / "how" / "bench.json"
MODELS = DOCS.parent / "models"
CUTS = {
    "3 detections": ("by_detections", "3"),
    "10 detections": ("by_detections", "10"),
    "whole light curve": ("full",),
}


def measured_parts() -> dict[str, str]:
    """Write every table of measurements, by the file name under which pages include it."""
    bench = json.loads(BENCH_FILE.read_text())
    figures = {path.parent.name: json.loads(path.read_text()) for path in _metrics_files()}
    return {
        "machine.part": machine(bench["machine"]),
        "speed-decode.part": speed(bench["entries"], ["decode"]),
        "speed-service.part": speed(bench["entries"], ["kafka", "street", "rubin", "start"]),
        "speed-workers.part": speed(bench["entries"], ["fleet", "kill", "workers"]),
        "speed-model.part": speed(bench["entries"], ["model"]),
        "speed-store.part": speed(bench["entries"], ["store", "growth"]),
        "speed-page.part": speed(bench["entries"], ["web"]),
        "accuracy.part": accuracy(figures),
    }


def machine(about: Mapping[str, Any]) -> str:
    """Say where and when it was measured, and whether the machine was free for it."""
    busy = about["load"] > about["cores"] / 2
    return (
        f"Measured on {about['date']} at commit `{about['commit'][:8]}`, with Python "
        f"{about['python']} on {about['cores']} cores of {about['processor']} "
        f"({about['system']})."
        + (
            f" **The machine was busy with other work** (its load was {about['load']:g} at the "
            "start), so these figures are worse than those of a free machine."
            if busy
            else ""
        )
        + "\n"
    )


def speed(entries: Sequence[Mapping[str, Any]], benchmarks: Sequence[str]) -> str:
    """Lay out what some benchmarks measured, each figure beside its references of the same run."""
    rows: dict[str, tuple[str, list[str]]] = {}
    for entry in entries:
        if entry["benchmark"] in benchmarks:
            name = entry["name"].removeprefix("decode ").removeprefix("web: ")
            unit = entry["unit"].replace("us", "µs")
            _, references = rows.setdefault(name, (f"{entry['value']:,} {unit}", []))
            references.append(_reference(entry))
    head = ("", "median", "beside: its median, the ratio (least to most)")
    cells = [(name, figure, "; ".join(beside)) for name, (figure, beside) in rows.items()]
    return table(head, cells) if cells else "Not measured.\n"


def accuracy(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Lay out how well each bundle does on its test objects, and its recipe on all objects."""
    rows = []
    for name, metrics in figures.items():
        rows.append((name, "test objects", *_balanced(metrics)))
        if "cross_validation" in metrics:
            folds = metrics["cross_validation"]
            rows.append((name, f"{folds['n_folds']} folds", *_balanced(folds)))
    return table(("bundle", "judged on", "objects", *CUTS), rows)


def _balanced(metrics: Mapping[str, Any]) -> list[str]:
    cells = [f"{metrics['n_objects']:,}"]
    for keys in CUTS.values():
        at_cut: Any = metrics
        for key in keys:
            at_cut = at_cut[key]
        low, high = at_cut["grouped"]["balanced_accuracy_95"]
        cells.append(f"{at_cut['grouped']['balanced_accuracy']:.2f} ({low:.2f} to {high:.2f})")
    return cells


def _reference(entry: Mapping[str, Any]) -> str:
    least, most = entry["spread"]
    spread = f" ({least:,} to {most:,})" if entry["repetitions"] > 1 else ""
    reference = entry["reference"]
    return f"{reference['name']}: {reference['value']:,}, {entry['ratio']:,}×{spread}"


def _metrics_files() -> list[Path]:
    return sorted(MODELS.glob("*/metrics.json"))
