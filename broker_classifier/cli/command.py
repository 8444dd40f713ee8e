"""How a function becomes a command: its errors a sentence and an exit code; options they share."""

import errno
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from broker_classifier.errors import BrokerError, ConfigError, InputLostError

DEFAULT_BUNDLE = Path("ztf-transients")
DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

Command = Callable[..., None]
SLOWLY_COMPILED = (
    "light_curve/selection_rules.py",
    "model/networks/streaming_runtimes.py",
    "surveys/avro/run_programs.py",
)
_WHAT_TO_DO = {
    errno.ENOSPC: "make room, or name another place",
    errno.EDQUOT: "make room, or name another place",
    errno.EACCES: "it is not yours to use; name another",
    errno.EPERM: "it is not yours to use; name another",
    errno.EROFS: "name a place that can be written",
    errno.ENOENT: "name another",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "name another folder",
    errno.EEXIST: "name another",
}

AlertPaths = Annotated[
    list[Path], typer.Argument(metavar="PATHS", help="Files, folders, archives of alerts.")
]
BUNDLE = "A shipped bundle's name, or a bundle's folder."
BundleOption = Annotated[Path | None, typer.Option("--bundle", help=BUNDLE)]
BundlesOption = Annotated[
    list[Path] | None, typer.Option("--bundle", help=f"{BUNDLE} Several answer side by side.")
]
KeepAllOption = Annotated[
    bool, typer.Option("--keep-all", help="Decline no asteroids, artefacts and stars.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
SchemasOption = Annotated[Path | None, typer.Option("--schemas", help="Folder of .avsc files.")]
ServersOption = Annotated[str | None, typer.Option("--bootstrap-servers", help="Kafka's address.")]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="MJD|now",
        help="Ask at this MJD, or now: that nothing followed says something, too.",
    ),
]


class _PlainUsage(TyperCommand):
    """Shows what must be given as PATHS... and not as {PATHS}...., and errors without jargon."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if isinstance(error.__cause__, ValueError):
                error.message = _in_words(error.__cause__, error.message)
            raise

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        pieces = super().collect_usage_pieces(ctx)
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


def _in_words(error: ValueError, message: str) -> str:
    """Say what is wrong with an option as it is said of a setting."""
    from pydantic import ValidationError

    from broker_classifier.cli.load_settings import problem_in_words

    if not isinstance(error, ValidationError):
        return message
    problem = error.errors()[0]
    return problem_in_words(problem["type"], problem.get("ctx", {}), problem["msg"])


def add_commands(
    app: typer.Typer,
    panels: Mapping[str, Mapping[str, Command]],
    groups: Mapping[str, str],
) -> None:
    """Give the program its commands.

    Parameters
    ----------
    app : typer.Typer
    panels : mapping of str to mapping of str to Command
        The panels in which help shows the commands, and their commands by name. A name of two words
        is a group and a command of it.
    groups : mapping of str to str
        What help says of every group.
    """
    opened: dict[str, typer.Typer] = {"": app}
    for panel, commands in panels.items():
        for words, function in commands.items():
            group, _, name = words.rpartition(" ")
            if group not in opened:
                opened[group] = typer.Typer(help=groups[group], no_args_is_help=True)
                app.add_typer(opened[group], name=group, rich_help_panel=panel)
            shown_in = None if group else panel
            register = opened[group].command(name, cls=_PlainUsage, rich_help_panel=shown_in)
            register(_ending_plainly(function))


def asked_mjd(at: str | None) -> float | None:
    """Read the moment of --at, MJD in UTC (days).

    Raises
    ------
    ConfigError
        If it is none.
    """
    from broker_classifier.light_curve.photometry import mjd_from_unix
    from broker_classifier.surveys.alert import EARLIEST_MJD, LATEST_MJD

    if at is None:
        return None
    if at == "now":
        return mjd_from_unix(time.time())
    try:
        mjd = float(at)
    except ValueError:
        mjd = math.nan
    if not EARLIEST_MJD < mjd < LATEST_MJD:
        msg = f"--at {at} is no date from 1950 to 2100: give an MJD such as 61371.5, or now"
        raise ConfigError(msg)
    return mjd


@contextmanager
def noted_when_stopped(note: str) -> Iterator[None]:
    """Let the program say, when Ctrl-C ends it, what stands and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note(note)
        raise


def tell_of_the_first_run() -> None:
    """Say that the loops are compiled now, if numba has kept none of these sources yet."""
    package = Path(__file__).parents[1]
    kept_in = Path(os.environ.get("NUMBA_CACHE_DIR", package))
    for source in map(package.joinpath, SLOWLY_COMPILED):
        kept = kept_in.rglob(f"{source.stem}.*.nbi")
        if not any(file.stat().st_mtime > source.stat().st_mtime for file in kept):
            typer.echo("the first run compiles the loops: up to a minute, only once", err=True)
            return


def _ending_plainly(function: Command) -> Command:
    """Let expected errors end the program with their sentence and an exit code.

    3 asks who watches the program to start it again, 2 would happen again.
    """

    @wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            function(*args, **options)
        except BrokerError as error:
            typer.echo(f"broker-classifier: {error}", err=True)
            raise typer.Exit(3 if isinstance(error, InputLostError) else 2) from error
        except KeyboardInterrupt as stopped:
            for note in getattr(stopped, "__notes__", ()):
                typer.echo(note, err=True)
            raise
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            if error.errno not in _WHAT_TO_DO:
                raise
            where = f"{error.filename}: " if error.filename else ""
            sentence = f"{where}{error.strerror}: {_WHAT_TO_DO[error.errno]}"
            typer.echo(f"broker-classifier: {sentence}", err=True)
            raise typer.Exit(2) from error

    return guarded
