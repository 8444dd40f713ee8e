"""The package reads in the data's direction, in small files, and carries nothing of one machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka_sources import TOP, output_of

PACKAGE = TOP / "broker_classifier"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

# Upstream first. A part imports only from earlier lines; parts on one line do not know each other.
STREET = [
    ["errors", "compiled", "memory", "collectors", "colours"],
    ["photometry"],
    ["light_curve"],
    ["config", "_mock_cluster"],
    ["embedded_kafka", "logs", "load_settings", "signals", "command"],
    ["surveys", "schemas"],
    ["streams", "store"],
    ["intake"],
    ["selection_rules"],
    ["selection"],
    ["interpolate", "grid"],
    ["models", "calibration"],
    ["inputs", "encoder_memory"],
    ["encoder"],
    ["grid_encoder"],
    ["bundle"],
    ["classify"],
    ["light_curve_json"],
    ["publish", "metrics", "dead_letters"],
    ["reception"],
    ["outcomes"],
    ["batch"],
    ["service", "subscriber"],
    ["serve", "replay", "show"],
    ["training", "simulate"],
    ["poster"],
    ["demo", "cli_training", "cli_poster", "cli_kilonovae"],
    ["cli"],
]
PLACE = {part: place for place, parts in enumerate(STREET) for part in parts}


def imported_parts(source: Path) -> Iterator[str]:
    """Yield the package's parts that a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == PACKAGE.name and rest.split(".")[0] != "__version__":
                yield rest.split(".")[0]


def part_of(source: Path) -> str:
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(source: Path) -> str:
    return str(source.relative_to(TOP))


def tracked_files() -> list[Path]:
    listed = output_of(["git", "-C", str(TOP), "ls-files", "-z"])
    if not listed:
        pytest.skip("not a git checkout, or no git here")
    return [TOP / name for name in listed.split("\0") if name and (TOP / name).is_file()]


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
def test_imports_only_point_upstream(source):
    part = part_of(source)
    if part == "__init__":  # the front door may offer anything
        return
    assert part in PLACE, f"give {part} its place in STREET"
    down = [
        found
        for found in imported_parts(source)
        if found != part and PLACE.get(found, len(STREET)) >= PLACE[part]
    ]
    assert down == []


def test_the_street_names_only_what_is_there():
    assert set(PLACE) == {part_of(source) for source in SOURCES} - {"__init__"}


@pytest.mark.parametrize("source", [*SOURCES, *sorted((TOP / "tests").rglob("*.py"))], ids=name_of)
def test_files_and_functions_are_short(source):
    text = source.read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node) > MAX_FUNCTION_LINES
    ]
    assert long == []


def docstring_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return len((ast.get_docstring(function) or "").splitlines())


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
def test_only_the_command_line_prints(source):
    calls = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    assert part_of(source) == "cli" or "print" not in names


def test_two_surveys_differ_only_in_surveys():
    pattern = re.compile(r"""if .*survey\w* *(==|!=|in) *[("']""")
    outside = [source for source in SOURCES if part_of(source) not in ("surveys", "training")]
    assert [name_of(s) for s in outside if pattern.search(s.read_text())] == []


def test_nothing_of_one_machine_is_committed():
    folders = r"/(work|farm|root|home)/"
    hosts = r"(pypi|npmjs)[.]org|deb[.]debian|repo1?[.]maven"
    pattern = re.compile(f"{folders}|{hosts}".encode())
    files = [path for path in tracked_files() if path.suffix not in (".png", ".safetensors")]
    assert [name_of(path) for path in files if pattern.search(path.read_bytes())] == []


def test_environments_and_caches_are_not_committed():
    unwanted = {".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis", "shared"}
    assert [name_of(p) for p in tracked_files() if unwanted & set(p.relative_to(TOP).parts)] == []


def test_large_files_are_not_committed():
    assert [name_of(p) for p in tracked_files() if p.stat().st_size > 5_000_000] == []
