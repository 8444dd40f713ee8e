"""The command that serves the page."""

from pathlib import Path
from typing import Annotated

import typer

from broker_classifier.cli.command import command


def add_commands(app: typer.Typer) -> None:
    """Register the page's command."""
    command(app)(web)


def web(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 is any.")] = None,
    index: Annotated[Path | None, typer.Option(help="File of the page's index.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")] = None,
) -> None:
    """Serve the page: the objects of the classification topic, live, in a browser.

    Example: BROKER_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 broker-classifier web --port 9110
    """
    from broker_classifier.cli.load_settings import load_settings
    from broker_classifier.service.process import configure_logs, stop_on_signals
    from broker_classifier.web.serve import serve_page

    settings, stop = load_settings(config), stop_on_signals()
    configure_logs(settings.log)
    given = {
        name: value
        for name, value in (("host", host), ("port", port), ("index", index))
        if value is not None
    }
    page = settings.web.model_copy(update=given)
    serve_page(settings.model_copy(update={"web": page}), stop)
