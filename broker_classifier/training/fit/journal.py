"""How a training is carried out: where it keeps its progress, and on what it computes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from broker_classifier.errors import ConfigError
from broker_classifier.progress import Track, untracked
from broker_classifier.training.fit.checkpoint import (
    CHECKPOINT_FILE,
    read_checkpoint,
    write_checkpoint,
)
from broker_classifier.training.fit.fit_state import FitState
from broker_classifier.training.fit.tensorboard import FILE_PREFIX, EventFile

DEVICES = ("auto", "cpu", "cuda")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Run:
    """One run of a training.

    Attributes
    ----------
    folder : Path
        Of the checkpoint and the event files.
    seed : int
        Of everything random.
    resumes : bool
        Go on from the checkpoint, if there is one.
    device : torch.device
    report : callable
        Takes one line of progress at a time.
    track : Track
        Shows how far it is.
    """

    folder: Path
    seed: int = 0
    resumes: bool = False
    device: torch.device = field(default=CPU)
    report: Callable[[str], None] = lambda message: None
    track: Track = untracked


class Journal:
    """What a run keeps of every epoch: a checkpoint, an event, a line of progress.

    Parameters
    ----------
    run : Run
        One that does not resume begins without the files of earlier ones.
    n_epochs : int
    identity : mapping of str to str
        Of the training, see `checkpoint`.
    state : FitState
        Becomes that of the checkpoint, if the run resumes.
    """

    def __init__(
        self, run: Run, n_epochs: int, identity: Mapping[str, str], state: FitState
    ) -> None:
        self._run, self._n_epochs, self._identity, self._state = run, n_epochs, identity, state
        self._checkpoint = run.folder / CHECKPOINT_FILE
        if run.resumes:
            self._resume()
        else:
            forget(run.folder)
        self._events: EventFile | None = None  # nothing is written before the first epoch
        self._first, self._begun = state.epoch, time.monotonic()

    def _resume(self) -> None:
        checkpoint = read_checkpoint(self._checkpoint, self._identity)
        if checkpoint is None:
            self._run.report(f"there is no {self._checkpoint}: from the beginning")
        else:
            self._state.load_state_dict(checkpoint)
            self._run.report(f"going on after epoch {self._state.epoch} of {self._n_epochs}")

    def write(self, figures: Mapping[str, float]) -> None:
        """Keep the epoch that the state has just completed; figures by name."""
        epoch, n_here = self._state.epoch, self._state.epoch - self._first
        seconds = (time.monotonic() - self._begun) / n_here
        write_checkpoint(self._checkpoint, self._state.state_dict(), self._identity)
        self._events = self._events or EventFile(self._run.folder)
        self._events.write(epoch, {**figures, "seconds per epoch": seconds})
        listed = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        left = duration(seconds * (self._n_epochs - epoch))
        self._run.report(f"epoch {epoch}/{self._n_epochs}  {listed}  {seconds:.1f} s, {left} left")

    def close(self) -> None:
        """Close the event file."""
        if self._events is not None:
            self._events.close()


def forget(folder: Path) -> None:
    """Remove the checkpoint and the event files of a folder, and nothing else."""
    for path in (folder / CHECKPOINT_FILE, *folder.glob(f"{FILE_PREFIX}.*")):
        path.unlink(missing_ok=True)


def choose_device(name: str) -> torch.device:
    """Find the device of this name; "auto" is the GPU if there is one.

    Raises
    ------
    ConfigError
        There is no device of that name here.
    """
    if name not in DEVICES:
        msg = f"There is no device {name!r}: use {', '.join(DEVICES)}"
        raise ConfigError(msg)
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        msg = "PyTorch finds no GPU here: use --device cpu, or install PyTorch's GPU build"
        raise ConfigError(msg)
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def duration(seconds: float) -> str:
    """Tell a duration roughly.

    >>> duration(41.0), duration(125.0), duration(7500.0)
    ('41 s', '2 min', '2.1 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
