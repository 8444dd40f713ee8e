"""The commands about the poster "Pay attention to the Flare": do it again, and its future work."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from broker_classifier.errors import ConfigError

if TYPE_CHECKING:
    from broker_classifier.training.poster.runs import Settings
    from broker_classifier.training.poster.sample import Sample

ProtocolName = Literal["as-published", "disjoint", "causal"]
Scaling = Literal["linear", "arcsinh"]
Chosen = TypeVar("Chosen")

DataFolder = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="PLAsTiCC's CSV files, or objects.csv and photometry.parquet."
    ),
]
Output = Annotated[Path, typer.Option("--output", help="Folder; runs in it are not done again.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="How many, from 0 on.")]
Epochs = Annotated[int, typer.Option("--epochs", min=1)]
Batch = Annotated[int, typer.Option("--batch", min=1)]
Protocols = Annotated[
    list[str] | None,
    typer.Option("--protocol", help="as-published, disjoint or causal; several; all three."),
]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="attentive_gru, gru, resnet or fcn; several; all four."),
]
Percents = Annotated[
    list[int] | None, typer.Option("--percent", help="Of the light curve; 100, 50 and 25.")
]
Widths = Annotated[
    list[int] | None, typer.Option("--d-a", min=1, help="Rows of w1; several; 10, 50 and 100.")
]
Hops = Annotated[
    list[int] | None, typer.Option("--r", min=1, help="Rows of w2; several; 1, 2 and 5.")
]
PerClass = Annotated[
    int, typer.Option(min=5, help="Cap of each class in training; a fifth validates.")
]
TestPerClass = Annotated[int, typer.Option(min=1, help="Cap of each class in the test.")]
FluxUnit = Annotated[
    float | None,
    typer.Option(
        "--flux-unit", min=0.001, help="The flux that counts as 1, nJy; PLAsTiCC's if not given."
    ),
]
AlertsOf = Annotated[
    Path | None,
    typer.Option(help="A bundle: take what its survey's alerts would show, not every point."),
]
Bfloat16 = Annotated[
    bool, typer.Option("--bfloat16", help="ResNet and FCN with products in bfloat16: faster.")
]

POOL_OF_TEST_CAPS = 12  # a tenth of the objects tests; so many caps hold a full test of each class


def poster_command(
    data: DataFolder,
    output: Output,
    protocols: Protocols = None,
    models: Models = None,
    percents: Percents = None,
    seeds: Seeds = 5,
    per_class: PerClass = 2000,
    test_per_class: TestPerClass = 500,
    epochs: Epochs = 30,
    batch: Batch = 100,
    flux_unit: FluxUnit = None,
    scaling: Scaling = "linear",
    alerts_of: AlertsOf = None,
    bfloat16: Bfloat16 = False,
) -> None:
    """Compare the poster's four models, and say what self-attention gains the GRU.

    Example: broker-classifier poster plasticc/ --protocol as-published --output poster-report
    """
    from broker_classifier.cli.progress_bars import progress_bars

    wanted = _wanted(protocols, models, percents)
    given = {"per_class": per_class, "test_per_class": test_per_class, "epochs": epochs}
    given |= {"batch": batch, "bfloat16_convolutions": bfloat16}
    with progress_bars("comparing") as track:
        sample, settings = _prepared(data, alerts_of, flux_unit, scaling, **given)
        from broker_classifier.training.poster.comparison import compare

        written = compare(
            sample,
            settings,
            output,
            **wanted,
            seeds=range(seeds),
            report=typer.echo,
            track=track,
        )
    typer.echo(f"{written}")


def sweep_command(
    data: DataFolder,
    output: Output,
    widths: Widths = None,
    hops: Hops = None,
    protocol: Annotated[ProtocolName, typer.Option()] = "causal",
    percent: Annotated[int, typer.Option(min=10, max=100, help="Of the light curve.")] = 100,
    seeds: Seeds = 3,
    per_class: PerClass = 2000,
    test_per_class: TestPerClass = 500,
    epochs: Epochs = 30,
    batch: Batch = 100,
    flux_unit: FluxUnit = None,
    scaling: Scaling = "linear",
    alerts_of: AlertsOf = None,
) -> None:
    """Train the attentive GRU at every d_a and r; write a table and a plot.

    Example: broker-classifier sweep spcc/ --d-a 10 --d-a 50 --r 1 --r 5 --output sweep-report
    """
    from broker_classifier.cli.progress_bars import progress_bars

    given = {"per_class": per_class, "test_per_class": test_per_class, "epochs": epochs}
    with progress_bars("trying widths and hops") as track:
        sample, settings = _prepared(data, alerts_of, flux_unit, scaling, **given, batch=batch)
        from broker_classifier.training.poster.sweep import sweep

        written = sweep(
            sample,
            settings,
            output,
            protocol=protocol,
            percent=percent,
            widths=widths or (10, 50, 100),
            hops=hops or (1, 2, 5),
            seeds=range(seeds),
            report=typer.echo,
            track=track,
        )
    typer.echo(f"{written}")


def _wanted(
    protocols: list[str] | None, models: list[str] | None, percents: list[int] | None
) -> dict[str, Any]:
    from broker_classifier.training.poster.protocol import PERCENTS, PROTOCOLS
    from broker_classifier.training.poster.runs import MODELS

    return {
        "protocols": _chosen(protocols, PROTOCOLS),
        "models": _chosen(models, MODELS),
        "percents": _chosen(percents, PERCENTS),
    }


def _prepared(
    data: Path, alerts_of: Path | None, flux_unit: float | None, scaling: Scaling, **given: Any
) -> tuple["Sample", "Settings"]:
    """Read the light curves, as many as the settings need, and tell of them."""
    from broker_classifier.training import require_packages

    require_packages()
    from broker_classifier.model.grid_input import Grid
    from broker_classifier.training.poster.runs import Settings
    from broker_classifier.training.poster.sample import read_sample

    grid = Grid(scaling=scaling)
    if flux_unit is not None:
        grid = Grid(flux_unit_njy=flux_unit, scaling=scaling)
    settings = Settings(grid=grid, **given)
    at_most = max(settings.per_class * 5 // 4, settings.test_per_class * POOL_OF_TEST_CAPS)
    sample = read_sample(data, at_most, alerts_of)
    counts = ", ".join(f"{name} {n}" for name, n in sample.counts().items())
    typer.echo(f"{counts}; bands {''.join(sample.bands)}")
    return sample, settings


def _chosen(given: Sequence[Chosen] | None, there: Sequence[Chosen]) -> list[Chosen]:
    """Keep what is asked for of what there is; all of it if nothing is asked for.

    Raises
    ------
    ConfigError
        If something else is asked for.
    """
    wrong = [str(name) for name in given or () if name not in there]
    if wrong:
        msg = f"{', '.join(wrong)}: not one of {', '.join(map(str, there))}"
        raise ConfigError(msg)
    return [name for name in there if not given or name in given]
