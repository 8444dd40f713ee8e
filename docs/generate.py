"""The pages of the documentation that are made of the code or of measurements.

They are written to `docs/generated` at every build and are never committed.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from measured import measured_parts
from prometheus_client import Metric
from tables import table
from typer.cli import get_docs_for_click

from broker_classifier.cli.load_settings import settings_table
from broker_classifier.cli.main import app
from broker_classifier.errors import MessageError
from broker_classifier.lasair.sending.metrics import AnnotateMetrics
from broker_classifier.light_curve.rejections import REJECTIONS
from broker_classifier.service.declines import REASONS
from broker_classifier.service.metrics import Metrics
from broker_classifier.streams.classification import json_schema

MODELS = Path(__file__).parents[1] / "models"
_IMAGE_OR_LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")


def write_generated_pages(docs: Path) -> None:
    """Write all generated pages below `docs`."""
    folder = docs / "generated"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pages = {
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "message.md": message_page(),
        "metrics.md": metrics_page(),
        "reasons.md": reasons_page(),
        "tried.md": _as_pages((MODELS / "LOG.md").read_text()),
        "baselines.md": _as_pages((MODELS / "BASELINES.md").read_text()),
        "poster.md": _relinked((MODELS / "POSTER.md").read_text(), "../../models"),
    }
    for card in sorted(MODELS.glob("*/README.md")):
        name = card.parent.name
        pages[f"card-{name}.md"] = _relinked(card.read_text(), f"../../models/{name}")
    for name, text in (pages | measured_parts()).items():
        (folder / name).write_text(text)


def _as_pages(text: str) -> str:
    """Let links to files beside each other lead to their pages."""
    for name in ("POSTER", "BASELINES"):
        text = text.replace(f"]({name}.md", f"]({name.lower()}.md")
    return text


def settings_page() -> str:
    """List every setting with its default."""
    rows = [(f"`{name}`", f"`{default}`", text) for name, default, text in settings_table()]
    return "# Settings\n\n" + table(("setting", "default", "meaning"), rows)


def commands_page() -> str:
    """Describe every command as its `--help` does."""
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="broker-classifier")
    return "# Commands\n" + re.sub(r"^# .*\n", "", text, count=1, flags=re.MULTILINE)


def message_page() -> str:
    """List the fields of the published message."""
    schema = json_schema()
    parts = [("The message", schema), *schema["$defs"].items()]
    return "# Fields of the message\n\n" + "\n".join(
        f"## {title}\n\n{part.get('description', '')}\n\n"
        + table(("field", "type", "meaning"), _fields(part))
        for title, part in parts
    )


def metrics_page() -> str:
    """List the metrics of the service and of the annotator."""
    registries = Metrics().registry, AnnotateMetrics().registry
    families = [family for registry in registries for family in registry.collect()]
    rows = sorted(
        (f"`{_sample(family)}`", family.type, family.documentation) for family in families
    )
    return "# Metrics\n\n" + table(("metric", "kind", "meaning"), rows)


def _sample(family: Metric) -> str:
    """Name a metric as it is shown by /metrics."""
    return family.name + ("_total" if family.type == "counter" else "")


def reasons_page() -> str:
    """List every reason that the program gives."""
    sections = {
        "Points that are not used": {name: why.sentence for name, why in REJECTIONS.items()},
        "Alerts that are declined": REASONS,
        "Messages that become dead letters": {
            error.__name__: str(error.__doc__).splitlines()[0]
            for error in MessageError.__subclasses__()
        },
    }
    return "# Reasons\n\n" + "\n".join(
        f"## {title}\n\n" + table(("reason", "meaning"), [(f"`{k}`", v) for k, v in rows.items()])
        for title, rows in sections.items()
    )


def _fields(part: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    required = part.get("required", [])
    return [
        (
            f"`{name}`" + ("" if name in required else " (optional)"),
            _type(field),
            field.get("description", ""),
        )
        for name, field in part.get("properties", {}).items()
    ]


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "const" in field or "enum" in field:
        return ", ".join(json.dumps(value) for value in field.get("enum", [field.get("const")]))
    kind = str(field.get("type", "any"))
    return f"list of {_type(field['items'])}" if kind == "array" and "items" in field else kind


def _relinked(text: str, folder: str) -> str:
    """Let the links of a page that stands elsewhere lead to where they led."""
    return _IMAGE_OR_LINK.sub(lambda link: f"]({folder}/{link[1]})", text)
