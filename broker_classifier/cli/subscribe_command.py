"""The command that prints classifications as they come."""

from itertools import islice
from typing import Annotated, Any

import typer

from broker_classifier.cli.command import ConfigOption, ServersOption
from broker_classifier.cli.service_commands import kafka_settings

Where = Annotated[str, typer.Option(help="A condition, such as 'TDE > 0.1 and points >= 3'.")]
Classes = Annotated[
    list[str] | None, typer.Option("--class", help="Most probable class; may be repeated.")
]
MinProbability = Annotated[
    float, typer.Option(min=0, max=1, help="Of the most probable class; .5 for a first look.")
]
MinPoints = Annotated[int, typer.Option(min=0, help="Points used; 3 for a first look.")]
MinBits = Annotated[
    float, typer.Option(min=0, help="Information of the light curve; .5 for a first look.")
]
Objects = Annotated[
    list[str] | None, typer.Option("--object", help="Only this object; may be repeated.")
]
Model = Annotated[str, typer.Option(help="Only answers of this bundle.")]
Survey = Annotated[str, typer.Option(help="Only alerts of this survey: ztf, lsst, ...")]
Topic = Annotated[str | None, typer.Option(help="The classification topic.")]
Group = Annotated[str | None, typer.Option(help="Consumer group: it keeps the position.")]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Read what is there, too.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON message a line.")]
IdleTimeout = Annotated[float | None, typer.Option(help="Stop after so many seconds without news.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many messages.")]


def subscribe_command(
    bootstrap_servers: ServersOption = None,
    where: Where = "",
    classes: Classes = None,
    min_probability: MinProbability = 0.0,
    min_points: MinPoints = 0,
    min_bits: MinBits = 0.0,
    objects: Objects = None,
    model: Model = "",
    survey: Survey = "",
    topic: Topic = None,
    group: Group = None,
    from_beginning: FromBeginning = False,
    as_json: AsJson = False,
    idle_timeout: IdleTimeout = None,
    limit: Limit = None,
    config: ConfigOption = None,
) -> None:
    """Print classifications as they come, filtered by a condition, class, information or object.

    Example: broker-classifier subscribe --where "TDE > 0.1 and points >= 3 and bits > 0.5"
    """
    from broker_classifier.cli.progress_bars import WaitingLine
    from broker_classifier.cli.tables import table_lines
    from broker_classifier.streams.subscribe import subscribe

    settings, line = kafka_settings(config, bootstrap_servers), WaitingLine("classifications")
    names = {"where": where, "model": model, "survey": survey, "classes": classes or ()}
    least = {"min_probability": min_probability, "min_bits": min_bits, "min_points": min_points}
    how = {"group_id": group, "from_beginning": from_beginning, "idle_timeout_s": idle_timeout}
    kafka = {"client": settings.client, "on_idle": line.show}
    wanted: dict[str, Any] = {**names, **least, **how, **kafka, "object_ids": objects or ()}
    messages = subscribe(settings.bootstrap_servers, topic or settings.output_topic, **wanted)
    try:
        for text in table_lines(line.hidden_for_each(islice(messages, limit)), as_json=as_json):
            typer.echo(text)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
