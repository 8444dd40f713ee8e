"""The command that compares a bundle in shadow with the live one."""

from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from broker_classifier.cli.command import ConfigOption, ServersOption
from broker_classifier.cli.service_commands import kafka_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from broker_classifier.streams.agreement import Agreement, Pair

Topic = Annotated[str | None, typer.Option(help="The topic of the live answers.")]
ShadowTopic = Annotated[str | None, typer.Option(help="The topic of those in shadow.")]
Largest = Annotated[int, typer.Option(min=0, help="How many differences to name.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for two bundles.")]


def agree_command(
    bootstrap_servers: ServersOption = None,
    topic: Topic = None,
    shadow_topic: ShadowTopic = None,
    largest: Largest = 5,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Compare a bundle in shadow with the live one: where they differ, and how much.

    Both topics are read to their present ends. Answers to the same alert are compared, of each
    message id the one that stands.

    Example: broker-classifier agree --largest 10
    """
    from rich.console import Console

    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.streams.agreement import read_agreements

    settings = kafka_settings(config, bootstrap_servers)
    topics = topic or settings.output_topic, shadow_topic or settings.shadow_topic
    with progress_bars("reading") as track:
        compared = read_agreements(settings, *topics, track)
    for agreement in compared:
        if as_json:
            typer.echo(agreement_json(agreement, largest))
            continue
        typer.echo(summary(agreement))
        Console().print(agreement_table(agreement))
        if agreement.pairs[:largest]:
            typer.echo("The largest differences:")
            Console().print(differences_table(agreement.pairs[:largest]))


def summary(agreement: "Agreement") -> str:
    """Say in a line which bundles are compared, and on what."""
    alone = [
        f"{n} only by {bundle}"
        for n, bundle in (
            (agreement.n_live_only, agreement.live),
            (agreement.n_shadow_only, agreement.shadow),
        )
        if n
    ]
    both = f"{len(agreement.pairs)} alerts answered by both"
    return f"{agreement.live}, and in shadow {agreement.shadow}: {', '.join([both, *alone])}"


def agreement_table(agreement: "Agreement") -> "Table":
    """Return how far the bundles agree, by class and number of points."""
    table = _table("class", "points", "alerts", "other class", "mean distance", "largest")
    for row in agreement.rows():
        table.add_row(
            row.top_class,
            row.points,
            str(row.n_alerts),
            f"{row.n_other_class} ({row.n_other_class / row.n_alerts:.1%})",
            f"{row.mean_distance:.3f}",
            f"{row.largest_distance:.3f}",
        )
    return table


def differences_table(pairs: "Sequence[Pair]") -> "Table":
    """Return the answers to some alerts under both bundles."""
    table = _table("object", "alert", "points", "live", "in shadow", "distance")
    for (_, alert_id), live, shadow, distance in pairs:
        classes = (f"{a.top_class} {a.probabilities.max():.2f}" for a in (live, shadow))
        points = str(live.n_points)
        table.add_row(live.object_id, str(alert_id), points, *classes, f"{distance:.3f}")
    return table


def agreement_json(agreement: "Agreement", largest: int) -> str:
    """Return the tables as JSON."""
    differences = [
        {
            "survey": survey,
            "object_id": live.object_id,
            "alert_id": str(alert_id),
            "n_points": live.n_points,
            "live_class": live.top_class,
            "shadow_class": shadow.top_class,
            "distance": distance,
        }
        for (survey, alert_id), live, shadow, distance in agreement.pairs[:largest]
    ]
    return orjson.dumps(
        {
            "live": agreement.live,
            "shadow": agreement.shadow,
            "n_both": len(agreement.pairs),
            "n_live_only": agreement.n_live_only,
            "n_shadow_only": agreement.n_shadow_only,
            "by_class_and_points": [row._asdict() for row in agreement.rows()],
            "largest_differences": differences,
        }
    ).decode()


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
