"""The commands about files of alerts: classify them, or send them into a topic."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from broker_classifier.cli.command import (
    AlertPaths,
    BundleOption,
    ConfigOption,
    SchemasOption,
    ServersOption,
)
from broker_classifier.cli.service_commands import kafka_settings
from broker_classifier.config import FRAMED_STREAM, USUAL_STREAM, Stream


def classify_command(
    paths: AlertPaths,
    output: Annotated[Path, typer.Option("--output", help="JSON-lines file to write.")],
    survey: Annotated[
        Stream | None, typer.Option(help="Whose alerts, where bytes do not tell; ztf.")
    ] = None,
    schemas: SchemasOption = None,
    bundle: BundleOption = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1)] = None,
    config: ConfigOption = None,
) -> None:
    """Classify files of alerts of every survey without Kafka; print one JSON line of counts.

    Exit status 1 if nothing could be read.

    Example: broker-classifier classify night.tar.gz --output night.jsonl
    """
    from broker_classifier.cli.load_settings import load_settings, with_kafka, with_survey
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.config import LogSettings
    from broker_classifier.streams.files import dead_letter_file

    settings = with_kafka(load_settings(config), batch_size=batch_size)
    settings = with_survey(settings, survey or USUAL_STREAM, bundle=bundle)
    settings = with_survey(settings, survey or FRAMED_STREAM, schemas=schemas)
    with progress_bars("classifying") as track:
        from broker_classifier.service.process import configure_logs
        from broker_classifier.service.serve import classify_files

        configure_logs(LogSettings(level="warning", format="text"))
        metrics = classify_files(settings, paths, survey or USUAL_STREAM, output, track)
    totals, reasons = metrics.totals(), metrics.reasons()
    typer.echo(orjson.dumps(totals))
    if reasons:
        typer.echo(f"declined: {', '.join(f'{n} {why}' for why, n in reasons.items())}", err=True)
    if totals["dead_lettered"]:
        typer.echo(f"what cannot be read, and why: {dead_letter_file(output)}", err=True)
        if totals["dead_lettered"] == totals["received"]:
            raise typer.Exit(1)


def replay_command(
    paths: AlertPaths,
    topic: Annotated[str, typer.Option("--topic", help="Topic to publish into.")],
    bootstrap_servers: ServersOption = None,
    rate: Annotated[float | None, typer.Option("--rate", min=0.001, help="Alerts/s.")] = None,
    config: ConfigOption = None,
) -> None:
    """Send alert files into a topic, paced or as fast as possible.

    Example: broker-classifier replay night.tar.gz --topic ztf_20210701_programid1 --rate 50
    """
    from broker_classifier.cli.progress_bars import progress_bars

    settings = kafka_settings(config, bootstrap_servers)
    with progress_bars("sending") as track:
        from broker_classifier.streams.replay import replay

        n_sent = replay(settings, paths, topic, rate, track)
    typer.echo(orjson.dumps({"sent": n_sent, "topic": topic}))
