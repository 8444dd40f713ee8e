"""The commands about models: train one, judge it, write its card."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from broker_classifier.cli.command import DEFAULT_BUNDLE, command
from broker_classifier.config import FRAMED_STREAM, USUAL_STREAM, Stream

DataPaths = Annotated[
    list[Path], typer.Option("--data", help="Folder of labelled light curves; may be repeated.")
]
RecipePath = Annotated[Path, typer.Argument(help="Recipe (TOML), such as models/recipes/*.toml.")]
Device = Annotated[str, typer.Option(help="auto (the GPU if there is one), cpu or cuda.")]
GatePath = Annotated[
    Path | None,
    typer.Option(
        "--gate-bundle",
        help="One trained on no forced photometry of supernovae, or cross-validated so.",
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Give the program these commands."""
    for one in (train, cross_validate, evaluate, explain, card):
        command(app)(one)
    command(app, "simulate-kilonovae")(simulate_kilonovae)


@contextmanager
def _told_how_to_go_on(how: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; {how} after the last complete epoch", err=True)
        raise


def train(
    recipe: RecipePath,
    data: DataPaths,
    output: Annotated[Path, typer.Option("--output", help="Folder of the new bundle.")],
    seed: Annotated[int, typer.Option(help="Of everything random in the training.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last complete epoch, if there is one.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a bundle that the folder has already.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Train a model on labelled light curves and write its bundle.

    Every epoch leaves a checkpoint and figures for TensorBoard in OUTPUT/training.

    Example: broker-classifier train models/recipes/ztf-transients.toml --data D --output B
    """
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.training.train import train

    how = {"resume": resume, "overwrite": overwrite}
    with _told_how_to_go_on("--resume goes on"):
        train(recipe, data, output, seed, typer.echo, **how, device=device)


def cross_validate(
    recipe: RecipePath,
    data: DataPaths,
    output: Annotated[Path, typer.Option("--output", help="Folder of a bundle a fold, and plots.")],
    folds: Annotated[int, typer.Option(help="How many; 10 judge every object.")] = 10,
    device: Device = "auto",
) -> None:
    """Judge a recipe on every object, each by a bundle that was trained on others.

    Takes ten times as long as `train`; called again, it goes on where it was interrupted.

    Example: broker-classifier cross-validate models/recipes/spcc.toml --data D --output O
    """
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.training.cross_validate import cross_validate
    from broker_classifier.training.judge.scores import METRICS_FILE
    from broker_classifier.training.report.metrics_file import summary

    with _told_how_to_go_on("the same command goes on"):
        metrics = cross_validate(recipe, data, output, folds, typer.echo, device)
    typer.echo(summary(metrics), err=True)
    typer.echo(f"{output / METRICS_FILE}")


def evaluate(
    data: DataPaths,
    output: Annotated[Path, typer.Option("--output", help="Folder of metrics.json and plots.")],
    bundles: Annotated[
        list[Path] | None,
        typer.Option(
            "--bundle", help="A bundle; several to compare them.", show_default=str(DEFAULT_BUNDLE)
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="all, train, validation or test; auto: test of its own data, else all."),
    ] = "auto",
    gate_bundle: GatePath = None,
) -> None:
    """Judge bundles on labelled light curves, at every cut in detections and days.

    Example: broker-classifier evaluate --bundle ztf-transients --data D --output report
    """
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.training.compare import COMPARISON_FILE, compare
    from broker_classifier.training.evaluate import evaluate
    from broker_classifier.training.judge.scores import METRICS_FILE
    from broker_classifier.training.report.metrics_file import summary

    chosen, tell = bundles or [DEFAULT_BUNDLE], partial(typer.echo, err=True)
    if len(chosen) > 1:
        compare(chosen, data, output, split, gate_bundle, report=tell)
        typer.echo(f"{output / COMPARISON_FILE}")
    else:
        report = evaluate(chosen[0], data, output, split, gate_bundle, report=tell)
        typer.echo(summary(report.metrics), err=True)
        typer.echo(f"{output / METRICS_FILE}")


def explain(
    target: Annotated[
        str, typer.Argument(metavar="OBJECT|FILE", help="Alerts, results, or an object's id.")
    ],
    output: Annotated[Path | None, typer.Option("--output", help="PNG; OBJECT.png.")] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Another bundle than the survey's.")
    ] = None,
    wanted: Annotated[
        str | None, typer.Option("--object", help="Which one, of a file with several.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Labelled light curves that have the object.")
    ] = None,
    survey: Annotated[
        Stream | None,
        typer.Option(help="Of an object, or of alerts whose bytes do not tell; else ztf."),
    ] = None,
    schemas: Annotated[Path | None, typer.Option(help="Folder of .avsc files.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")] = None,
) -> None:
    """Draw why a bundle says what it says of an object: points, attention, input, answers.

    A file holds alerts, or what classify wrote. An object is looked for in the store of the
    settings (a service may be running on it), or with --data in a labelled set. The bundle is
    that of the object's survey in the settings, if not said otherwise.

    Example: broker-classifier explain night.tar.gz --object ZTF21abiuvdk --output why.png
    """
    from broker_classifier.cli.load_settings import load_settings, with_survey
    from broker_classifier.service.serve import folder_of_bundle
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.cli.find_curve import find_curve, labelled_curve
    from broker_classifier.training.explain import explain

    settings = with_survey(load_settings(config), survey or FRAMED_STREAM, schemas=schemas)
    if data is not None:
        folder = folder_of_bundle(settings, survey or USUAL_STREAM, bundle)
        label, found = labelled_curve(data, target, folder)
    else:
        label, found = "", find_curve(target, survey or USUAL_STREAM, settings, wanted)
        folder = folder_of_bundle(settings, found.survey, bundle)
    typer.echo(explain(found.object_id, found.curve, folder, output, label))


def card(
    recipe: RecipePath,
    data: DataPaths,
    bundle: Annotated[Path, typer.Option("--bundle", help="Folder of the model bundle.")],
    gate_bundle: GatePath = None,
    cross_validation: Annotated[
        Path | None, typer.Option("--cross-validation", help="OUTPUT of cross-validate.")
    ] = None,
) -> None:
    """Judge a bundle on its own test objects and renew its card; its weights stay as they are.

    Example: broker-classifier card models/recipes/ztf-transients.toml --bundle B --data D
    """
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.training.card import renew_card
    from broker_classifier.training.recipe import read_recipe

    renew_card(bundle, read_recipe(recipe), data, gate_bundle, cross_validation)
    typer.echo(f"{bundle / 'README.md'}")


class Survey(StrEnum):
    """Surveys whose passbands are known."""

    ZTF = "ztf"
    LSST = "lsst"


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
    from broker_classifier.training.data.kilonovae import simulate_kilonovae

    folder = simulate_kilonovae(templates, visits, survey.value, output, events, seed, typer.echo)
    typer.echo(f"{folder}")
