"""The commands that bring light curves and answers back: rebuild, reprocess."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from broker_classifier.cli.command import (
    DATES,
    AtOption,
    BundleOption,
    ConfigOption,
    KeepAllOption,
    ServersOption,
    asked_mjd,
    tell_of_the_first_run,
)
from broker_classifier.config import Settings, Stream

if TYPE_CHECKING:
    from broker_classifier.streams.message import Sink

REPROCESSED = "reprocessed"

SinceReceived = Annotated[
    datetime | None, typer.Option(formats=DATES, help="Only what came since then, UTC.")
]
SinceDetected = Annotated[
    datetime | None, typer.Option(formats=DATES, help="Only objects detected since then, UTC.")
]
Objects = Annotated[list[str] | None, typer.Option("--object", help="Only this object.")]
OfSurvey = Annotated[Stream | None, typer.Option("--survey", help="Only its objects.")]
Newest = Annotated[
    bool, typer.Option("--newest", help="Only the answer to the newest alert of each object.")
]
ToTopic = Annotated[
    str | None, typer.Option("--topic", help=f"Topic of the answers, if not {REPROCESSED}.")
]
Output = Annotated[
    str | None, typer.Option("--output", help="A JSONL file instead; - is standard output.")
]


def rebuild_command(
    since: SinceReceived = None,
    keep_all: KeepAllOption = False,
    bootstrap_servers: ServersOption = None,
    config: ConfigOption = None,
) -> None:
    """Read the alert topics again into the store, beside the service, and publish nothing.

    With a store on a server, workers may run meanwhile; a store in a folder is for one process, so
    stop the service first. An alert that is read counts as answered. What cannot be read is told.

    Example: broker-classifier rebuild --since 2026-11-01
    """
    from broker_classifier.cli.load_settings import load_settings, with_kafka, without_rules
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.config import LogSettings

    settings = with_kafka(load_settings(config), bootstrap_servers=bootstrap_servers)
    settings = without_rules(settings) if keep_all else settings
    tell_of_the_first_run()
    with progress_bars("rebuilding") as track:
        from broker_classifier.service.process import configure_logs
        from broker_classifier.service.rebuild import rebuild

        configure_logs(LogSettings(level="warning", format="text"))
        counts = rebuild(settings, since.replace(tzinfo=UTC) if since else None, track)
    typer.echo(orjson.dumps(counts))


def reprocess_command(
    object_ids: Objects = None,
    survey: OfSurvey = None,
    since: SinceDetected = None,
    bundle: BundleOption = None,
    newest: Newest = False,
    at: AtOption = None,
    topic: ToTopic = None,
    output: Output = None,
    bootstrap_servers: ServersOption = None,
    config: ConfigOption = None,
) -> None:
    """Classify the stored light curves again, into a topic of their own or a file.

    Every alert that has an answer gets the answer that the stored points give; with --at, every
    object gets one for then. A service may be running on the store. The bundles are those of the
    settings, if not said otherwise. Coordinates and context are not stored, so they are null.

    Example: broker-classifier reprocess --bundle ztf-kilonovae --output kilonovae.jsonl
    """
    from broker_classifier.cli.load_settings import load_settings, with_kafka
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.config import LogSettings

    settings = with_kafka(load_settings(config), bootstrap_servers=bootstrap_servers)
    at_mjd = asked_mjd(at)
    tell_of_the_first_run()
    with progress_bars("reprocessing") as track:
        from broker_classifier.service import reprocess
        from broker_classifier.service.process import configure_logs
        from broker_classifier.service.stored_alerts import AskedAlerts

        configure_logs(LogSettings(level="warning", format="text"))
        bundles = reprocess.chosen_bundles(settings, survey, bundle, at_mjd)
        objects = reprocess.AskedObjects(object_ids or (), _first_mjd(since))
        alerts = AskedAlerts(newest, at_mjd)
        with _destination(settings, topic, output, at_mjd) as (sink, name):
            counts = reprocess.reprocess(settings, bundles, sink, name, objects, alerts, track)
    typer.echo(orjson.dumps(counts), err=output == "-")


def _first_mjd(since: datetime | None) -> float:
    from broker_classifier.light_curve.photometry import mjd_from_unix

    return mjd_from_unix(since.replace(tzinfo=UTC).timestamp()) if since else float("-inf")


@contextmanager
def _destination(
    settings: Settings, topic: str | None, output: str | None, at_mjd: float | None
) -> "Iterator[tuple[Sink, str]]":
    """Open a topic, a file, or one that is printed at the end; give it with the topic's name."""
    from broker_classifier.errors import ConfigError
    from broker_classifier.service.open_kafka import cluster_of
    from broker_classifier.service.reprocess import checked_topic
    from broker_classifier.streams.files import JsonLinesSink
    from broker_classifier.streams.kafka_sink import KafkaSink

    if topic and output:
        msg = "answers go to a topic or into a file: leave --topic or --output out"
        raise ConfigError(msg)
    name = topic or REPROCESSED
    if output is None:
        topics = (checked_topic(settings, name, at_mjd),)
        cluster_of(settings.kafka.output)
        with closing(KafkaSink(settings.kafka.output, topics)) as kafka:
            yield kafka, name
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.jsonl" if output == "-" else Path(output)
        with closing(JsonLinesSink(path, name, "declined")) as file:
            yield file, name
        if output == "-":
            with path.open(encoding="utf-8") as lines:
                shutil.copyfileobj(lines, sys.stdout)
