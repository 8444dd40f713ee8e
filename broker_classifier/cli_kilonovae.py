"""The command that simulates kilonovae."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broker_classifier.command import command


class Survey(StrEnum):
    """Surveys whose passbands are known."""

    ZTF = "ztf"
    LSST = "lsst"


def add_commands(app: typer.Typer) -> None:
    """Give the program this command."""
    command(app, "simulate-kilonovae")(simulate_kilonovae)


def simulate_kilonovae(
    templates: Annotated[
        Path, typer.Option(help="Folder with kasen2017/ and sncosmo/bandpasses/.")
    ],
    visits: Annotated[
        list[Path], typer.Option(help="Folder of light curves whose visits are taken.")
    ],
    survey: Annotated[Survey, typer.Option(help="In whose passbands.")],
    output: Annotated[Path, typer.Option(help="Folder of labelled light curves to write.")],
    events: Annotated[int, typer.Option(min=1, help="How many kilonovae.")] = 800,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Put model kilonovae into a survey's real visits, as data that `train` takes.

    Example: broker-classifier simulate-kilonovae --templates T --visits D --survey lsst --output K
    """
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.training.kilonovae import simulate_kilonovae

    folder = simulate_kilonovae(templates, visits, survey.value, output, events, seed, typer.echo)
    typer.echo(f"{folder}")
