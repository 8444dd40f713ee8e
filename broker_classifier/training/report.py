"""Writing figures as JSON for people too: short lists of numbers stay on one line."""

import re
from pathlib import Path
from typing import Any

import orjson

METRICS_FILE = "metrics.json"
_INNERMOST_LIST = re.compile(rb"\[\s+([^][{}]*?)\s+\]")


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Write figures, indented, each innermost list on one line."""
    text = orjson.dumps(figures, option=orjson.OPT_INDENT_2)
    path.write_bytes(_INNERMOST_LIST.sub(_on_one_line, text) + b"\n")


def _on_one_line(found: re.Match[bytes]) -> bytes:
    return b"[" + b" ".join(found[1].split()) + b"]"
