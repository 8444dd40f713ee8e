"""The commands about dead letters: look at them, send them back, keep them, delete them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from broker_classifier.cli.command import DATES, ConfigOption, ServersOption
from broker_classifier.cli.service_commands import kafka_settings


def list_dead_letters_command(
    bootstrap_servers: ServersOption = None,
    reasons: Annotated[
        list[str] | None, typer.Option("--reason", help="Only this reason, such as DecodeError.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Only what failed since then, UTC.")
    ] = None,
    before: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Only what failed before, UTC.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show the letters of the dead-letter topic: when, why, from where, and whether replayed.

    Example: broker-classifier dead-letters list --reason DecodeError --since 2026-11-01
    """
    from broker_classifier.cli.tables import dead_letter_json, dead_letter_row
    from broker_classifier.streams.dead_letters import read_dead_letters

    settings = kafka_settings(config, bootstrap_servers)
    first_ms, end_ms = _unix_ms(since, 0.0), _unix_ms(before, float("inf"))
    n_shown = 0
    for letter in read_dead_letters(settings):
        is_in_time = first_ms <= letter.failed_at_ms < end_ms
        if is_in_time and letter.reason in (reasons or [letter.reason]):
            typer.echo(dead_letter_json(letter) if as_json else dead_letter_row(letter))
            n_shown += 1
    if not n_shown:
        typer.echo(f"no such dead letters in {settings.dead_letter_topic}", err=True)


def replay_dead_letters_command(
    bootstrap_servers: ServersOption = None,
    topic: Annotated[str | None, typer.Option(help="Instead of where they came from.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also letters that came back from a replay.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Send dead letters back to where they came from, each once.

    Example: broker-classifier dead-letters replay
    """
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.streams.replay_letters import replay_dead_letters

    settings = kafka_settings(config, bootstrap_servers)
    with progress_bars("sending back") as track:
        n_replayed = replay_dead_letters(settings, topic, track, again=again)
    typer.echo(orjson.dumps({"replayed": n_replayed}))


def export_dead_letters_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write into.")],
    bootstrap_servers: ServersOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the bytes of every dead letter into a file, and a list of all.

    Example: broker-classifier dead-letters export broken-packets
    """
    from broker_classifier.streams.replay_letters import export_dead_letters

    n_letters = export_dead_letters(kafka_settings(config, bootstrap_servers), folder)
    typer.echo(orjson.dumps({"exported": n_letters, "folder": str(folder)}))


def purge_dead_letters_command(
    before: Annotated[
        datetime, typer.Option(formats=DATES, help="Letters written before then, UTC, go.")
    ],
    bootstrap_servers: ServersOption = None,
    config: ConfigOption = None,
) -> None:
    """Delete the dead letters that were written before a date.

    Example: broker-classifier dead-letters purge --before 2026-10-01
    """
    from broker_classifier.streams.replay_letters import purge_dead_letters

    settings = kafka_settings(config, bootstrap_servers)
    n_deleted = purge_dead_letters(settings, before.replace(tzinfo=UTC))
    typer.echo(orjson.dumps({"deleted": n_deleted}))


def _unix_ms(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.replace(tzinfo=UTC).timestamp() * 1000.0
