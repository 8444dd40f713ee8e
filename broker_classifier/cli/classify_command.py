"""The command that classifies files of alerts without Kafka."""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from broker_classifier.cli.command import (
    AlertPaths,
    BundlesOption,
    ConfigOption,
    KeepAllOption,
    SchemasOption,
    noted_when_stopped,
    tell_of_the_first_run,
)
from broker_classifier.config import FRAMED_STREAM, USUAL_STREAM, Stream


class Format(StrEnum):
    """The forms of a file of answers."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


Output = Annotated[str, typer.Option("--output", help="File to write; - is standard output.")]
FormatOption = Annotated[Format, typer.Option("--format", help="Form of the answers.")]
Newest = Annotated[
    bool, typer.Option("--newest", help="Only the newest answer of each object; csv, parquet.")
]
Survey = Annotated[Stream | None, typer.Option(help="Whose alerts, where bytes do not tell; ztf.")]
BatchSize = Annotated[int | None, typer.Option("--batch-size", min=1, help="Alerts at once.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit status 1 if anything could not be read.")
]


def classify_command(
    paths: AlertPaths,
    output: Output,
    form: FormatOption = Format.JSONL,
    newest: Newest = False,
    survey: Survey = None,
    schemas: SchemasOption = None,
    bundles: BundlesOption = None,
    batch_size: BatchSize = None,
    keep_all: KeepAllOption = False,
    strict: Strict = False,
    config: ConfigOption = None,
) -> None:
    """Classify files of alerts of every survey without Kafka; tell the counts.

    Beside the answers stand the declined alerts and the messages that cannot be read, each with its
    reason. Exit status 1 if nothing could be read.

    Example: broker-classifier classify night.tar.gz --output night.jsonl
    """
    from broker_classifier.cli import load_settings as given
    from broker_classifier.cli.progress_bars import progress_bars
    from broker_classifier.config import LogSettings

    _refuse_form(output, form, newest=newest)
    settings = given.with_kafka(given.load_settings(config), batch_size=batch_size)
    settings = given.with_survey(settings, survey or USUAL_STREAM, bundles=bundles or None)
    settings = given.with_survey(settings, survey or FRAMED_STREAM, schemas=schemas)
    settings = given.without_rules(settings) if keep_all else settings
    tell_of_the_first_run()
    is_direct = output != "-" and form is Format.JSONL
    with tempfile.TemporaryDirectory() as folder, progress_bars("classifying") as track:
        from broker_classifier.service.process import configure_logs
        from broker_classifier.service.serve import classify_files

        configure_logs(LogSettings(level="error", format="text"))
        lines = Path(output) if is_direct else Path(folder) / "answers.jsonl"
        with noted_when_stopped(_how_it_stands(output, is_direct=is_direct)):
            metrics = classify_files(settings, paths, survey or USUAL_STREAM, lines, track)
        if not is_direct:
            _convert(lines, output, form, newest=newest)
    _tell(metrics.totals(), metrics.reasons(), output)
    _end(metrics.totals(), strict=strict)


def _refuse_form(output: str, form: Format, *, newest: bool) -> None:
    """Refuse a form that the answers cannot have, before they are worked out."""
    from broker_classifier.errors import ConfigError

    if form is Format.PARQUET and output == "-":
        msg = "Parquet cannot go to standard output: name a file with --output"
        raise ConfigError(msg)
    if form is Format.JSONL and newest:
        msg = "--newest is for tables: say --format csv or parquet, or leave it out"
        raise ConfigError(msg)


def _how_it_stands(output: str, *, is_direct: bool) -> str:
    stands = "has the answers to what was read until then" if is_direct else "is not written"
    return f"stopped: {output} {stands}"


def _convert(lines: Path, output: str, form: Format, *, newest: bool) -> None:
    """Write answers in another form, and move the files beside them to the output."""
    from broker_classifier.streams.files import dead_letter_file, declined_file

    if form is Format.JSONL:
        with lines.open(encoding="utf-8") as answers:
            shutil.copyfileobj(answers, sys.stdout)
    else:
        _write_table(lines, output, form, newest=newest)
    for beside in (dead_letter_file, declined_file):
        if beside(lines).exists() and output != "-":
            shutil.move(beside(lines), beside(Path(output)))


def _write_table(lines: Path, output: str, form: Format, *, newest: bool) -> None:
    from broker_classifier.streams import result_tables as tables

    rows = list(tables.read_rows(lines))
    rows = tables.newest_of_each_object(rows) if newest else rows
    if form is Format.CSV and output == "-":
        tables.write_csv(rows, sys.stdout)
    elif form is Format.CSV:
        with Path(output).open("w", encoding="utf-8", newline="") as file:
            tables.write_csv(rows, file)
    else:
        tables.write_parquet(rows, Path(output))


def _tell(totals: Mapping[str, int], reasons: Mapping[str, int], output: str) -> None:
    """Print the counts, and where everything that gave no answer is listed."""
    from broker_classifier.streams.files import dead_letter_file, declined_file

    typer.echo(orjson.dumps(totals), err=output == "-")
    if reasons:
        typer.echo(f"declined: {', '.join(f'{n} {why}' for why, n in reasons.items())}", err=True)
    if reasons and output != "-":
        typer.echo(f"each declined alert, and why: {declined_file(Path(output))}", err=True)
    if totals["dead_lettered"] and output != "-":
        where = dead_letter_file(Path(output))
        typer.echo(f"what cannot be read, and why: {where}", err=True)


def _end(totals: Mapping[str, int], *, strict: bool) -> None:
    n_unreadable = totals["dead_lettered"]
    if n_unreadable and (strict or n_unreadable == totals["received"]):
        raise typer.Exit(1)
