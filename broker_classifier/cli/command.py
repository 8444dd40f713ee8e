"""How a function becomes a command of the program, and its errors a sentence and an exit code."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from broker_classifier.errors import BrokerError

DEFAULT_BUNDLE = Path("ztf-transients")


def command(
    group: typer.Typer, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command whose expected errors end the program with their sentence."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def guarded(*args: Any, **options: Any) -> None:
            try:
                function(*args, **options)
            except BrokerError as error:
                typer.echo(f"broker-classifier: {error}", err=True)
                raise typer.Exit(2) from error
            except BrokenPipeError:
                sys.stderr.close()
                raise typer.Exit(0) from None

        return group.command(name)(guarded)

    return register
