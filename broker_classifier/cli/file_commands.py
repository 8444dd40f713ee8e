"""The commands that make alerts and send them into a topic."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from broker_classifier.cli.command import (
    AlertPaths,
    ConfigOption,
    ServersOption,
    tell_of_the_first_run,
)
from broker_classifier.cli.service_commands import kafka_settings


def replay_command(
    paths: AlertPaths,
    topic: Annotated[str, typer.Option("--topic", help="Topic to publish into.")],
    bootstrap_servers: ServersOption = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=0.001, help="Alerts per second; else as fast as possible."),
    ] = None,
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many at the beginning.")] = 0,
    config: ConfigOption = None,
) -> None:
    """Send alert files into a topic, paced or as fast as possible.

    Example: broker-classifier replay night.tar.gz --topic ztf_20210701_programid1 --rate 50
    """
    from broker_classifier.cli.progress_bars import progress_bars

    settings = kafka_settings(config, bootstrap_servers)
    with progress_bars("sending") as track:
        from broker_classifier.streams.replay import replay

        n_sent = replay(settings, paths, topic, rate, track, skip)
    typer.echo(orjson.dumps({"sent": n_sent, "topic": topic}))


def example_night_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write into.")],
) -> None:
    """Write made-up ZTF packets to try every command on, always the same.

    Example: broker-classifier example-night night
    """
    from broker_classifier.cli.progress_bars import progress_bars

    tell_of_the_first_run()
    with progress_bars("making up alerts"):
        from broker_classifier.demo.simulate.example_night import write_example_night

        n_files = write_example_night(folder)
    typer.echo(f"{n_files} files in {folder}")
