"""The bundles that lie beside the service: what they are, their cards, figures and pictures."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from markdown_it import MarkdownIt

CARD, DESCRIPTION, METRICS = "README.md", "bundle.json", "metrics.json"
_NAME = re.compile(r"[\w][\w.-]*")
_KEPT = ("name", "version", "architecture", "survey", "classes", "selection", "training")
_PICTURES = ("examples.png", "reliability.png", "accuracy.png", "attention.png")
_CUTS = {"by_detections": "detections", "by_days": "days", "by_fraction": "of the time span"}
_SCORES = ("n", "balanced_accuracy", "balanced_accuracy_95", "macro_f1", "accuracy", "ece")


def bundle_names(folder: Path) -> list[str]:
    """List the bundles in a folder; none where there is no such folder."""
    return sorted(path.parent.name for path in _found(folder).glob(f"*/{DESCRIPTION}"))


def bundle_page(folder: Path, name: str) -> dict[str, Any] | None:
    """Return what the page shows of a bundle; None if it is not there.

    Its card is HTML, made of Markdown in which HTML is text. `cuts` is empty where the bundle came
    without metrics.json, as in an installed package.
    """
    path = _path(folder, name)
    if path is None:
        return None
    description: Mapping[str, Any] = orjson.loads((path / DESCRIPTION).read_bytes())
    metrics = path / METRICS
    card = path / CARD
    return {
        "description": {key: description.get(key) for key in _KEPT},
        "card": card_html(card.read_text("utf-8"), name) if card.is_file() else "",
        "pictures": [picture for picture in _PICTURES if (path / picture).is_file()],
        **(cuts_of(orjson.loads(metrics.read_bytes())) if metrics.is_file() else {"cuts": []}),
    }


def picture(folder: Path, name: str, file: str) -> bytes | None:
    """Return a picture of a bundle; None if there is none of that name."""
    path = _path(folder, name)
    if path is None or not _NAME.fullmatch(file) or not file.endswith(".png"):
        return None
    return (path / file).read_bytes() if (path / file).is_file() else None


def card_html(text: str, name: str) -> str:
    """Render a card; its pictures are this server's.

    >>> card_html("# A <b>", "spcc").strip()
    '<h1>A &lt;b&gt;</h1>'
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token in (child for parent in tokens for child in parent.children or ()):
        if token.type == "image" and _NAME.fullmatch(str(token.attrs["src"])):
            token.attrs["src"] = f"/api/bundles/{name}/{token.attrs['src']}"
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def cuts_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the confusion matrices and scores at every cut, in the order of a slider."""
    cuts = [
        _cut(f"{key} {word if key != '1' else word.removesuffix('s')}", scores)
        for kind, word in _CUTS.items()
        for key, scores in metrics.get(kind, {}).items()
    ]
    if "full" in metrics:
        cuts.append(_cut("whole light curve", metrics["full"]))
    return {
        "classes": metrics.get("classes", []),
        "groups": metrics.get("groups", []),
        "cuts": cuts,
    }


def _cut(name: str, scores: Mapping[str, Any]) -> dict[str, Any]:
    grouped = scores.get("grouped", {})
    return {
        "name": name,
        "classes": {key: scores.get(key) for key in (*_SCORES, "confusion")},
        "groups": {key: grouped.get(key) for key in (*_SCORES, "confusion")} if grouped else None,
    }


def _path(folder: Path, name: str) -> Path | None:
    path = _found(folder) / name
    return path if _NAME.fullmatch(name) and (path / DESCRIPTION).is_file() else None


def _found(folder: Path) -> Path:
    """Find the folder as given, else below the checkout that this package stands in."""
    beside_package = Path(__file__).parents[3] / folder
    return folder if folder.exists() or not beside_package.exists() else beside_package
