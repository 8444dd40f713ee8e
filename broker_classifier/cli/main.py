"""The program `broker-classifier`: every verb of the project, and the only place that prints."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from broker_classifier.cli import lasair, poster, training, web
from broker_classifier.cli.command import DEFAULT_BUNDLE, command
from broker_classifier.config import FRAMED_STREAM, USUAL_STREAM, Stream

app = typer.Typer(
    help="Class probabilities for astronomical transients, from survey alerts as they arrive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
letters_app = typer.Typer(help="Messages that could not be used.", no_args_is_help=True)
app.add_typer(letters_app, name="dead-letters")

Paths = Annotated[list[Path], typer.Argument(help="Files, folders, .tar.gz archives of alerts.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="Kafka's address.")]


@command(app)
def serve(config: Config = None) -> None:
    """Consume alerts, publish class probabilities, until SIGTERM.

    Example: BROKER_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 broker-classifier serve
    """
    from broker_classifier.cli.load_settings import load_settings
    from broker_classifier.service.process import configure_logs, stop_on_signals

    settings, stop = load_settings(config), stop_on_signals()
    configure_logs(settings.log)
    from broker_classifier.service.serve import serve

    serve(settings, stop)


@command(app)
def classify(
    paths: Paths,
    output: Annotated[Path, typer.Option("--output", help="JSON-lines file to write.")],
    survey: Annotated[
        Stream | None, typer.Option(help="Whose alerts, where bytes do not tell; ztf.")
    ] = None,
    schemas: Annotated[Path | None, typer.Option(help="Folder of .avsc files.")] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Another model bundle.")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1)] = None,
    config: Config = None,
) -> None:
    """Classify files of alerts of every survey without Kafka; print one JSON line of counts.

    Exit status 1 if nothing could be read.

    Example: broker-classifier classify night.tar.gz --output night.jsonl
    """
    from broker_classifier.cli.load_settings import load_settings, with_kafka, with_survey
    from broker_classifier.config import LogSettings
    from broker_classifier.service.process import configure_logs
    from broker_classifier.service.serve import classify_files
    from broker_classifier.streams.files import dead_letter_file

    configure_logs(LogSettings(level="warning", format="text"))
    settings = with_kafka(load_settings(config), batch_size=batch_size)
    settings = with_survey(settings, survey or USUAL_STREAM, bundle=bundle)
    settings = with_survey(settings, survey or FRAMED_STREAM, schemas=schemas)
    metrics = classify_files(settings, paths, survey or USUAL_STREAM, output)
    totals, reasons = metrics.totals(), metrics.reasons()
    typer.echo(orjson.dumps(totals))
    if reasons:
        typer.echo(f"declined: {', '.join(f'{n} {why}' for why, n in reasons.items())}", err=True)
    if totals["dead_lettered"]:
        typer.echo(f"what cannot be read, and why: {dead_letter_file(output)}", err=True)
        if totals["dead_lettered"] == totals["received"]:
            raise typer.Exit(1)


@command(app)
def replay(
    paths: Paths,
    topic: Annotated[str, typer.Option("--topic", help="Topic to publish into.")],
    bootstrap_servers: Servers = None,
    rate: Annotated[float | None, typer.Option("--rate", min=0.001, help="Alerts/s.")] = None,
    config: Config = None,
) -> None:
    """Send alert files into a topic, paced or as fast as possible.

    Example: broker-classifier replay night.tar.gz --topic ztf_20210701_programid1 --rate 50
    """
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from broker_classifier.streams.replay import replay

    settings = _kafka(config, bootstrap_servers)
    columns = TextColumn("{task.completed:.0f} alerts sent"), TimeElapsedColumn()
    n_sent = 0
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=None)
        for n_sent in replay(settings, paths, topic, rate):
            progress.update(task, completed=n_sent)
    typer.echo(orjson.dumps({"sent": n_sent, "topic": topic}))


@command(app)
def subscribe(
    bootstrap_servers: Servers = None,
    classes: Annotated[list[str] | None, typer.Option("--class", help="Top class.")] = None,
    min_probability: Annotated[float, typer.Option(min=0, max=1)] = 0.0,
    objects: Annotated[list[str] | None, typer.Option("--object", help="Object id.")] = None,
    topic: Annotated[str | None, typer.Option(help="The classification topic.")] = None,
    group: Annotated[str | None, typer.Option(help="Group that keeps the position.")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON message a line.")] = False,
    idle_timeout: Annotated[float | None, typer.Option(help="Stop after so many quiet s.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    config: Config = None,
) -> None:
    """Print classifications as they come, filtered by class, probability and object.

    Example: broker-classifier subscribe --class TDE --min-probability 0.8
    """
    from itertools import islice

    from broker_classifier.cli.tables import table_header, table_row
    from broker_classifier.streams.subscribe import subscribe

    settings = _kafka(config, bootstrap_servers)
    messages = subscribe(
        settings.bootstrap_servers,
        topic or settings.output_topic,
        classes=classes or (),
        min_probability=min_probability,
        object_ids=objects or (),
        group_id=group,
        from_beginning=from_beginning,
        idle_timeout_s=idle_timeout,
        client=settings.client,
    )
    if not as_json:
        typer.echo(table_header())
    try:
        for message in islice(messages, limit):
            typer.echo(message.model_dump_json(by_alias=True) if as_json else table_row(message))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@command(app)
def demo(
    alerts: Annotated[Path | None, typer.Option(help="Real alert packets instead.")] = None,
    n_objects: Annotated[int, typer.Option("--objects", min=1, help="Simulated objects.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the simulated sky.")] = 1,
    seconds: Annotated[float, typer.Option(min=1, help="How long to play.")] = 60.0,
    output: Annotated[Path, typer.Option(help="Folder of the page it writes.")] = Path(
        "demo-night"
    ),
) -> None:
    """Run the whole service on a simulated season, live in the terminal; no server needed.

    Example: broker-classifier demo --alerts my-packets/
    """
    from broker_classifier.demo import run_demo

    raise typer.Exit(
        run_demo(alerts=alerts, n_objects=n_objects, seed=seed, output=output, seconds=seconds)
    )


@command(app, "check-bundle")
def check_bundle(
    path: Annotated[Path, typer.Argument(help="Folder of the bundle.")] = DEFAULT_BUNDLE,
) -> None:
    """Check that a bundle is whole and reproduces its golden cases.

    Example: broker-classifier check-bundle ztf-transients
    """
    from broker_classifier.model.bundle import load_bundle

    bundle = load_bundle(path)
    typer.echo(f"{bundle.name} {bundle.version}: whole, golden cases reproduced")
    typer.echo(f"survey {bundle.survey}, classes {', '.join(bundle.classes)}")
    typer.echo(f"hash {bundle.hash}")


@command(letters_app, "list")
def list_dead_letters(
    bootstrap_servers: Servers = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """Show what stands in the dead-letter topic, and why.

    Example: broker-classifier dead-letters list --json
    """
    from broker_classifier.cli.tables import dead_letter_json, dead_letter_row
    from broker_classifier.streams.dead_letters import read_dead_letters

    for letter in read_dead_letters(_kafka(config, bootstrap_servers)):
        typer.echo(dead_letter_json(letter) if as_json else dead_letter_row(letter))


@command(letters_app, "replay")
def replay_dead_letters(
    bootstrap_servers: Servers = None,
    topic: Annotated[str | None, typer.Option(help="Instead of where they came from.")] = None,
    config: Config = None,
) -> None:
    """Send dead letters back to where they came from, each once.

    Example: broker-classifier dead-letters replay
    """
    from broker_classifier.streams.dead_letters import replay_dead_letters

    n_replayed = replay_dead_letters(_kafka(config, bootstrap_servers), topic)
    typer.echo(orjson.dumps({"replayed": n_replayed}))


training.add_commands(app)
poster.add_commands(app)
lasair.add_commands(app)
web.add_commands(app)


def _kafka(config: Path | None, bootstrap_servers: str | None) -> Any:
    from broker_classifier.cli.load_settings import load_settings, with_kafka
    from broker_classifier.config import LogSettings
    from broker_classifier.service.process import configure_logs

    configure_logs(LogSettings(level="warning", format="text"))
    return with_kafka(load_settings(config), bootstrap_servers=bootstrap_servers).kafka


def main() -> None:
    """Run the program."""
    app()
