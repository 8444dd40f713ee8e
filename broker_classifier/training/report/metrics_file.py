"""A report's folder, its figures as JSON that people can read, and a few lines that sum it up."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from broker_classifier.errors import ConfigError

_INNERMOST_LIST = re.compile(rb"\[\s+([^][{}]*?)\s+\]")


def checked_folder(path: str | Path) -> Path:
    """Check that a folder for results is there or can be made, and leave all as it was.

    So a mistake is known before hours of work, and work that fails leaves no empty folder.

    Raises
    ------
    ConfigError
        It cannot be made.
    """
    folder = Path(path)
    absent = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be a folder ({error.strerror}): name another with --output"
        raise ConfigError(msg) from error
    finally:
        for made in absent:
            with suppress(OSError):  # it was never made, or somebody has put something there
                made.rmdir()
    return folder


def summary(metrics: Mapping[str, Any]) -> str:
    """Sum `metrics.json` up: how many objects, how well, what was left out, which gates failed."""
    groups = metrics["full"]["grouped"]
    low, high = groups["balanced_accuracy_95"]
    lines = [
        f"{metrics['n_objects']} objects; balanced accuracy over whole light curves, groups, "
        f"equal priors: {groups['balanced_accuracy']:.3f} ({low:.3f} to {high:.3f})",
        *left_out(metrics["labels_left_out"]),
    ]
    failed = [name for name, gate in metrics["gates"].items() if gate["passed"] is False]
    if failed:
        lines.append(f"provenance gates not passed: {', '.join(failed)}")
    return "\n".join(lines)


def left_out(labels: Mapping[str, int]) -> list[str]:
    """Say how many objects have labels that are no classes of the bundle; nothing without any."""
    counts = ", ".join(f"{n} {label or 'without a label'}" for label, n in labels.items())
    return [f"left out, as their labels are no classes of the bundle: {counts}"] if labels else []


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Write figures, indented, each innermost list on one line; make the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = orjson.dumps(figures, option=orjson.OPT_INDENT_2)
    path.write_bytes(_INNERMOST_LIST.sub(_on_one_line, text) + b"\n")


def _on_one_line(innermost: re.Match[bytes]) -> bytes:
    return b"[" + b" ".join(innermost[1].split()) + b"]"
