"""The commands about the running service: the demo, the service, its page and its topics."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker_classifier.cli.command import ConfigOption, KeepAllOption, ServersOption

if TYPE_CHECKING:
    from broker_classifier.config.kafka import KafkaSettings


def demo_command(
    alerts: Annotated[Path | None, typer.Option(help="Real alert packets instead.")] = None,
    n_objects: Annotated[int, typer.Option("--objects", min=1, help="Simulated objects.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the simulated sky.")] = 1,
    seconds: Annotated[float, typer.Option(min=1, help="How long to play.")] = 60.0,
    output: Annotated[Path, typer.Option(help="Folder of the page it writes.")] = Path(
        "demo-night"
    ),
    lasair_url: Annotated[
        str | None, typer.Option("--lasair", help="Annotate at this Lasair, too; see make demo.")
    ] = None,
) -> None:
    """Run the whole service on a simulated season, live in the terminal; no server needed.

    Example: broker-classifier demo --alerts my-packets/
    """
    from broker_classifier.cli.progress_bars import progress_bars

    with progress_bars("loading"):
        from broker_classifier.demo import run_demo

    raise typer.Exit(run_demo(alerts, n_objects, seed, output, seconds, lasair_url))


def serve_command(
    keep_all: KeepAllOption = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Run so many processes, which share a store."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Where nothing is committed, begin at this date, UTC."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Consume alerts, publish class probabilities, until SIGTERM.

    Example: BROKER_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 broker-classifier serve
    """
    from broker_classifier.cli.load_settings import load_settings, with_kafka, without_rules
    from broker_classifier.service.process import configure_logs, stop_on_signals

    settings, stop = with_kafka(load_settings(config), since=since), stop_on_signals()
    settings = without_rules(settings) if keep_all else settings
    configure_logs(settings.log)
    if workers is None:
        from broker_classifier.service.serve import serve

        return serve(settings, stop)
    from broker_classifier.service.workers import supervise

    given = ["--config", str(config)] if config else []
    given += ["--keep-all"] if keep_all else []
    given += ["--since", since] if since else []
    raise typer.Exit(supervise(settings, workers, stop, os.environ, given))


def web_command(
    bootstrap_servers: ServersOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 is any.")] = None,
    index: Annotated[Path | None, typer.Option(help="File of the page's index.")] = None,
    config: ConfigOption = None,
) -> None:
    """Serve the page: the objects of the classification topic, live, in a browser.

    Example: broker-classifier web --bootstrap-servers kafka:9092 --port 9110
    """
    from broker_classifier.cli.load_settings import load_settings, with_kafka
    from broker_classifier.service.process import configure_logs, stop_on_signals
    from broker_classifier.web.serve import serve_page

    settings = with_kafka(load_settings(config), bootstrap_servers=bootstrap_servers)
    stop = stop_on_signals()
    configure_logs(settings.log)
    given = {
        name: value
        for name, value in (("host", host), ("port", port), ("index", index))
        if value is not None
    }
    page = settings.web.model_copy(update=given)
    settings = settings.model_copy(update={"web": page})
    serve_page(settings, stop, lambda address: typer.echo(f"The page is at {address}"))


def kafka_settings(config: Path | None, bootstrap_servers: str | None) -> "KafkaSettings":
    """Read Kafka's settings, and let only warnings be logged."""
    from broker_classifier.cli.load_settings import load_settings, with_kafka
    from broker_classifier.config import LogSettings
    from broker_classifier.service.process import configure_logs

    configure_logs(LogSettings(level="warning", format="text"))
    return with_kafka(load_settings(config), bootstrap_servers=bootstrap_servers).kafka
