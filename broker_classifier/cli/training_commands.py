"""The commands about models: train one, judge it, write its card."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from broker_classifier.cli.command import BUNDLE, DEFAULT_BUNDLE, noted_when_stopped

DataPaths = Annotated[
    list[Path], typer.Option("--data", help="Folder of labelled light curves; may be repeated.")
]
RecipePath = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="TOML file, such as models/recipes/*.toml.")
]
Device = Annotated[str, typer.Option(help="auto (the GPU if there is one), cpu or cuda.")]
GatePath = Annotated[
    Path | None,
    typer.Option(
        "--gate-bundle",
        help="One trained on no forced photometry of supernovae, or cross-validated so.",
    ),
]


_GOES_ON = "goes on after the last complete epoch"


def train_command(
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
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    how = {"resume": resume, "overwrite": overwrite}
    with noted_when_stopped(f"stopped; --resume {_GOES_ON}"), progress_bars("training") as track:
        from broker_classifier.training.train import train

        train(recipe, data, output, seed, typer.echo, **how, device=device, track=track)


def cross_validate_command(
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
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    with (
        noted_when_stopped(f"stopped; the same command {_GOES_ON}"),
        progress_bars("training") as track,
    ):
        from broker_classifier.training.cross_validate import cross_validate
        from broker_classifier.training.judge.scores import METRICS_FILE
        from broker_classifier.training.report.metrics_file import summary

        metrics = cross_validate(recipe, data, output, folds, typer.echo, device, track)
    typer.echo(summary(metrics), err=True)
    typer.echo(f"{output / METRICS_FILE}")


def evaluate_command(
    data: DataPaths,
    output: Annotated[Path, typer.Option("--output", help="Folder of metrics.json and plots.")],
    bundles: Annotated[
        list[Path] | None,
        typer.Option(
            "--bundle",
            help=f"{BUNDLE} Several are compared.",
            show_default=str(DEFAULT_BUNDLE),
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
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    chosen, tell = bundles or [DEFAULT_BUNDLE], partial(typer.echo, err=True)
    with progress_bars("judging") as track:
        from broker_classifier.training.compare import COMPARISON_FILE, compare
        from broker_classifier.training.evaluate import evaluate
        from broker_classifier.training.judge.scores import METRICS_FILE
        from broker_classifier.training.report.metrics_file import summary

        given = data, output, split, gate_bundle
        if len(chosen) > 1:
            compare(chosen, *given, report=tell, track=track)
        else:
            report = evaluate(chosen[0], *given, report=tell, track=track)
    if len(chosen) > 1:
        typer.echo(f"{output / COMPARISON_FILE}")
    else:
        typer.echo(summary(report.metrics), err=True)
        typer.echo(f"{output / METRICS_FILE}")


def card_command(
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
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    with progress_bars("judging") as track:
        from broker_classifier.training.card import renew_card
        from broker_classifier.training.recipe import read_recipe

        renew_card(bundle, read_recipe(recipe), data, gate_bundle, cross_validation, track)
    typer.echo(f"{bundle / 'README.md'}")


def baselines_command(
    cross_validation: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="OUTPUT of cross-validate, of a blend's recipe."),
    ],
    data: DataPaths,
    output: Annotated[Path, typer.Option("--output", help="Markdown file to write.")],
) -> None:
    """Compare a blend with its members, on objects that none of them has seen.

    Example: broker-classifier baselines folds --data D --output models/BASELINES.md
    """
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    with progress_bars("judging") as track:
        from broker_classifier.training.baselines import baselines

        baselines(cross_validation, data, output, track)
    typer.echo(f"{output}")


class Survey(StrEnum):
    """Surveys whose passbands are known."""

    ZTF = "ztf"
    LSST = "lsst"


def simulate_kilonovae_command(
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
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.training import require_packages

    require_packages()
    with progress_bars("simulating") as track:
        from broker_classifier.training.data.kilonovae import simulate_kilonovae

        folder = simulate_kilonovae(
            templates, visits, survey.value, output, events, seed, typer.echo, track
        )
    typer.echo(f"{folder}")
