"""The program `broker-classifier`: all its commands, in the order in which help shows them.

A new command is a function in one of the modules `*_commands`, and a line in `COMMANDS`.
"""

from collections.abc import Mapping
from typing import Annotated

import typer

from broker_classifier import __version__
from broker_classifier.cli import (
    agree_command,
    classify_command,
    file_commands,
    lasair_commands,
    letter_commands,
    look_commands,
    poster_commands,
    recover_commands,
    service_commands,
    subscribe_command,
    training_commands,
)
from broker_classifier.cli.command import Command, add_commands

COMMANDS: Mapping[str, Mapping[str, Command]] = {
    "Run": {
        "demo": service_commands.demo_command,
        "serve": service_commands.serve_command,
        "web": service_commands.web_command,
        "subscribe": subscribe_command.subscribe_command,
        "annotate": lasair_commands.annotate_command,
        "rebuild": recover_commands.rebuild_command,
        "reprocess": recover_commands.reprocess_command,
    },
    "Look": {
        "explain": look_commands.explain_command,
        "bundles": look_commands.bundles_command,
        "settings": look_commands.settings_command,
        "check-bundle": look_commands.check_bundle_command,
        "agree": agree_command.agree_command,
        "dead-letters list": letter_commands.list_dead_letters_command,
        "dead-letters replay": letter_commands.replay_dead_letters_command,
        "dead-letters export": letter_commands.export_dead_letters_command,
        "dead-letters purge": letter_commands.purge_dead_letters_command,
        "annotations compare": lasair_commands.compare_annotations_command,
        "annotations refused": lasair_commands.refused_annotations_command,
        "annotations send-again": lasair_commands.send_again_command,
    },
    "Files": {
        "example-night": file_commands.example_night_command,
        "classify": classify_command.classify_command,
        "replay": file_commands.replay_command,
    },
    "Train": {
        "train": training_commands.train_command,
        "evaluate": training_commands.evaluate_command,
        "cross-validate": training_commands.cross_validate_command,
        "card": training_commands.card_command,
        "baselines": training_commands.baselines_command,
        "simulate-kilonovae": training_commands.simulate_kilonovae_command,
        "poster": poster_commands.poster_command,
        "sweep": poster_commands.sweep_command,
    },
}
GROUPS = {
    "dead-letters": "Messages that could not be used.",
    "annotations": "What Lasair was told of our objects.",
}

app = typer.Typer(
    help="Class probabilities for astronomical transients, from survey alerts as they arrive.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
add_commands(app, COMMANDS, GROUPS)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"broker-classifier {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options of the program itself."""


def main() -> None:
    """Run the program."""
    app()
