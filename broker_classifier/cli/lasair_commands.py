"""Commands that speak to Lasair: `annotate`, and `annotations` to look after what was sent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
import typer

from broker_classifier.cli.command import ConfigOption

if TYPE_CHECKING:
    from broker_classifier.config import Settings
    from broker_classifier.lasair.annotators import Annotator
    from broker_classifier.lasair.compare import Comparison
    from broker_classifier.lasair.sending.outbox import Outbox

Survey = Literal["lsst", "ztf"]
OfSurvey = Annotated[Survey | None, typer.Option("--survey", help="One Lasair only.")]


def annotate_command(config: ConfigOption = None) -> None:
    """Annotate the objects of Lasair with our classifications, until SIGTERM.

    Example: BROKER_ANNOTATE__ZTF__TOPIC=mytopic BROKER_ANNOTATE__ZTF__TOKEN_FILE=token
    broker-classifier annotate
    """
    from broker_classifier.cli.load_settings import load_settings
    from broker_classifier.service.process import configure_logs, stop_on_signals

    settings, stop = load_settings(config), stop_on_signals()
    configure_logs(settings.log)
    from broker_classifier.lasair.annotate import annotate

    annotate(settings, stop)


def compare_annotations_command(
    survey: OfSurvey = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Queue again what Lasair lacks or has otherwise.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Compare what Lasair has with what was sent; exit status 1 if they differ.

    Example: broker-classifier annotations compare --survey ztf --repair
    """
    import time

    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.lasair.compare import annotations_at, compare

    outbox, annotators = _opened(config, survey)
    is_equal = True
    for name, annotator in annotators.items():

        def count_call(name: str = name) -> None:
            outbox.note_call(name, time.time())

        with progress_bars(f"reading what Lasair has of {name}"):
            at_lasair = annotations_at(annotator.client, name, count_call)
        comparison = compare(outbox.sent(name), at_lasair)
        is_equal &= comparison.is_equal
        typer.echo(orjson.dumps({"survey": name, **_counts(comparison)}))
        _show(comparison)
        if repair:
            wrong = [*comparison.missing, *comparison.different]
            n_queued = outbox.send_again(name, wrong, time.time())
            typer.echo(f"{n_queued} queued again", err=True)
    if not is_equal:
        raise typer.Exit(1)


def refused_annotations_command(survey: OfSurvey = None, config: ConfigOption = None) -> None:
    """Show the annotations that Lasair refused, and its words, one JSON object a line.

    Example: broker-classifier annotations refused
    """
    outbox, annotators = _opened(config, survey)
    for name in annotators:
        for annotation, words, at in outbox.dead_letters(name):
            letter = {"survey": name, "words": words, "refused_at": at, "annotation": annotation}
            typer.echo(orjson.dumps(letter))


def send_again_command(
    survey: Annotated[Survey, typer.Option("--survey", help="Whose Lasair.")],
    objects: Annotated[
        list[str] | None, typer.Option("--object", help="Object id; all refused ones without.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Queue annotations again: those of the objects named, or all that Lasair refused.

    Example: broker-classifier annotations send-again --survey ztf --object ZTF21abiuvdk
    """
    import time

    outbox, _ = _opened(config, survey)
    dead = [str(annotation["objectId"]) for annotation, _, _ in outbox.dead_letters(survey)]
    n_queued = outbox.send_again(survey, objects or dead, time.time())
    typer.echo(orjson.dumps({"queued": n_queued}))


def _opened(config: Path | None, survey: Survey | None) -> tuple["Outbox", dict[str, "Annotator"]]:
    from broker_classifier.cli.load_settings import load_settings
    from broker_classifier.config import LogSettings
    from broker_classifier.errors import ConfigError
    from broker_classifier.lasair.annotators import annotators_of
    from broker_classifier.lasair.sending.outbox import Outbox
    from broker_classifier.service.process import configure_logs

    configure_logs(LogSettings(level="warning", format="text"))
    settings: Settings = load_settings(config)
    annotators = annotators_of(settings)
    chosen = {name: annotators[name] for name in annotators if name == (survey or name)}
    if not chosen:
        msg = f"no Lasair is annotated: set annotate.{survey or 'lsst'}.topic, and its token"
        raise ConfigError(msg)
    return Outbox(settings.annotate.outbox), chosen


def _counts(comparison: "Comparison") -> dict[str, int]:
    return {
        "equal": comparison.n_equal,
        "missing": len(comparison.missing),
        "different": len(comparison.different),
        "unknown": len(comparison.unknown),
    }


def _show(comparison: "Comparison") -> None:
    for object_id in comparison.missing:
        typer.echo(f"{object_id}: Lasair has none, or does not have the object")
    for object_id, (there, here) in comparison.different.items():
        typer.echo(f"{object_id}: Lasair has {' '.join(there)}, it was sent {' '.join(here)}")
    for object_id in comparison.unknown:
        typer.echo(f"{object_id}: Lasair has one that was not sent from this outbox")
