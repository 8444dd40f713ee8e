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

# Of a folder, upstream first. A part imports only from earlier lines; parts on one line do not know
# each other.
FLOORS = {
    "": [
        ["errors", "compiled", "config", "logs", "progress"],
        ["light_curve"],
        ["surveys", "store", "model"],
        ["streams"],
        ["service", "training", "lasair", "web"],
        ["demo"],
        ["cli"],
    ],
    "web": [["index"], ["page", "server"], ["serve", "single_file"]],
    "lasair": [
        ["annotation"],
        ["rules"],
        ["sending"],
        ["annotators", "compare", "intake"],
        ["annotate"],
    ],
    "training": [
        ["recipe_tables"],
        ["data", "recipe"],
        ["homogenise"],
        ["judge"],
        ["fit", "report"],
        ["poster", "evaluate", "explain", "baselines"],
        ["card", "compare"],
        ["train"],
        ["cross_validate"],
    ],
}


def imported_modules(source: Path) -> Iterator[str]:
    """Yield what a file imports of the package, wherever in the file it does: "training.recipe"."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, module = name.partition(".")
            if package == PACKAGE.name and module != "__version__":
                yield module


def module_of(source: Path) -> str:
    return ".".join(source.relative_to(PACKAGE).with_suffix("").parts)


def part_in(folder: str, module: str) -> str | None:
    """Give the part of a folder that a module belongs to; None outside of the folder."""
    path = f"{folder}." if folder else ""
    return module.removeprefix(path).split(".")[0] if module.startswith(path) else None


def part_of(source: Path) -> str:
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(source: Path) -> str:
    return str(source.relative_to(TOP))


def tracked_files() -> list[Path]:
    listed = output_of(["git", "-C", str(TOP), "ls-files", "-z"])
    if not listed:
        pytest.skip("not a git checkout, or no git here")
    return [TOP / name for name in listed.split("\0") if name and (TOP / name).is_file()]


@pytest.mark.parametrize("folder", FLOORS)
def test_imports_only_point_upstream(folder):
    place = {part: place for place, parts in enumerate(FLOORS[folder]) for part in parts}
    down = []
    for source in sorted((PACKAGE / folder).rglob("*.py")):
        part = part_in(folder, module_of(source))
        if source == PACKAGE / folder / "__init__.py":  # the front door may offer anything
            continue
        for module in imported_modules(source):
            other = part_in(folder, module)
            if other in place and other != part and place[other] >= place[part]:
                down.append(f"{name_of(source)} imports {module}")
    assert down == []


@pytest.mark.parametrize("folder", FLOORS)
def test_the_floors_name_only_what_is_there(folder):
    inside = {path.name.removesuffix(".py") for path in (PACKAGE / folder).iterdir()}
    named = [part for floor in FLOORS[folder] for part in floor]
    assert sorted(named) == sorted(inside - {"__init__", "__pycache__", "py.typed"})


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
