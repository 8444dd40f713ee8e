"""The commands that look into something: an answer, the bundles."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from broker_classifier.cli.command import (
    BUNDLE,
    DEFAULT_BUNDLE,
    AtOption,
    BundleOption,
    ConfigOption,
    SchemasOption,
    asked_mjd,
    tell_of_the_first_run,
)
from broker_classifier.config import FRAMED_STREAM, USUAL_STREAM, Stream

WIDTH_OF_A_PIPE = 200

Target = Annotated[
    str, typer.Argument(metavar="OBJECT|FILE", help="Alerts, results, or an object's id.")
]
Output = Annotated[
    Path | None, typer.Option("--output", help="A .png, .pdf or .svg file; else OBJECT.png.")
]
Wanted = Annotated[
    str | None, typer.Option("--object", help="Which object, of a file with several.")
]
AlertId = Annotated[
    int | None, typer.Option("--alert", help="As it was known at this alert, of a file of results.")
]
WithInput = Annotated[bool, typer.Option("--input", help="Draw the model's input, too.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Labelled light curves that have the object.")
]
Survey = Annotated[
    Stream | None,
    typer.Option(help="Of an object, or of alerts whose bytes do not tell; else ztf."),
]


def explain_command(
    target: Target,
    output: Output = None,
    bundle: BundleOption = None,
    wanted: Wanted = None,
    alert: AlertId = None,
    at: AtOption = None,
    with_input: WithInput = False,
    data: Data = None,
    survey: Survey = None,
    schemas: SchemasOption = None,
    config: ConfigOption = None,
) -> None:
    """Draw why a bundle says what it says of an object: points, attention, input, answers.

    A file holds alerts, or what classify wrote. An object is looked for in the store of the
    settings (a service may be running on it), or with --data in a labelled set. The bundle is
    that of the object's survey in the settings, if not said otherwise.

    Example: broker-classifier explain night.tar.gz --object ZTF21abiuvdk --output why.png
    """
    from broker_classifier.cli.load_settings import load_settings, with_survey
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    at_mjd = asked_mjd(at)
    tell_of_the_first_run()
    settings = with_survey(load_settings(config), survey or FRAMED_STREAM, schemas=schemas)
    with progress_bars("explaining") as track:
        from broker_classifier.cli.find_curve import find_curve, labelled_curve
        from broker_classifier.service.served_bundles import folder_of_bundle
        from broker_classifier.training.explain import explain

        if data is not None:
            folder = folder_of_bundle(settings, survey or USUAL_STREAM, bundle)
            label, shown = labelled_curve(data, target, folder)
        else:
            label, shown = "", find_curve(target, survey, settings, wanted, track, alert)
            folder = folder_of_bundle(settings, shown.survey, bundle)
        given = shown.object_id, shown.curve, folder, output, label, at_mjd
        summed_up = explain(*given, with_input=with_input)
    typer.echo(summed_up)


def bundles_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List the shipped bundles: survey, classes, version and folder.

    Wherever a bundle is asked for, its name will do.

    Example: broker-classifier bundles
    """
    from rich.console import Console

    from broker_classifier.cli.tables import bundles_json, bundles_table
    from broker_classifier.model.find_bundle import described_bundles

    bundles = described_bundles()
    if as_json:
        typer.echo(bundles_json(bundles))
    else:
        width = None if sys.stdout.isatty() else WIDTH_OF_A_PIPE
        Console(width=width).print(bundles_table(bundles))


def check_bundle_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help=BUNDLE)] = DEFAULT_BUNDLE,
) -> None:
    """Check that a bundle is whole and reproduces its golden cases.

    Example: broker-classifier check-bundle ztf-transients
    """
    from broker_classifier.cli.progress_bars import progress_bars

    tell_of_the_first_run()
    with progress_bars("checking"):
        from broker_classifier.model.bundle import load_bundle

        loaded = load_bundle(bundle)
    typer.echo(f"{loaded.name} {loaded.version}: whole, golden cases reproduced")
    typer.echo(f"survey {loaded.survey}, classes {', '.join(loaded.classes)}")
    typer.echo(f"hash {loaded.hash}")


def settings_command(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="Only settings with these words.")
    ] = None,
) -> None:
    """List every setting with its default and its meaning.

    Example: broker-classifier settings kafka topic
    """
    from broker_classifier.cli.load_settings import settings_table

    for name, default, sentence in settings_table():
        if all(word.lower() in f"{name} {sentence}".lower() for word in words or ()):
            typer.echo(f"{name} = {default}\n    {sentence}")
