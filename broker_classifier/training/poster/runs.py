"""Training and testing many networks, each result kept in a file as soon as it is there.

A folder holds `settings.json` and `runs/*.json`. What is there already is not run again, so an
interrupted comparison goes on where it stood, and models or seeds can be added later. No point lies
after a whole light curve, so at 100 % the protocols disjoint and causal are one run, whose file is
called after disjoint.
"""

import json
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.errors import ConfigError
from broker_classifier.model.architectures import build_network, implied_config
from broker_classifier.model.grid_input import Grid
from broker_classifier.model.networks import GridNetwork
from broker_classifier.progress import Track, untracked
from broker_classifier.training.poster.fit import Best, Part, decisions, fit
from broker_classifier.training.poster.protocol import Protocol, draw_parts, inputs_at, n_cells
from broker_classifier.training.poster.sample import Sample

SETTINGS_FILE, RUNS_FOLDER = "settings.json", "runs"
MODELS = ("attentive_gru", "gru", "resnet", "fcn")  # in the order of the poster
CONVOLUTIONS = ("resnet", "fcn")


class Settings(BaseModel):
    """How all networks of one comparison are trained; the poster's where it tells.

    Attributes
    ----------
    per_class, test_per_class : int
        Caps; a fifth of the first validates.
    epochs, batch, learning_rate
    grid : Grid
    bfloat16_convolutions : bool
        Train ResNet and FCN with products in bfloat16, twice as fast on some processors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_class: int = Field(2000, gt=1)
    test_per_class: int = Field(500, gt=0)
    epochs: int = Field(30, gt=0)
    batch: int = Field(100, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    grid: Grid = Grid()
    bfloat16_convolutions: bool = False


class Run(NamedTuple):
    """One network to train; `config` holds what differs from the architecture's defaults."""

    protocol: Protocol
    model: str
    percent: int
    seed: int
    config: tuple[tuple[str, int], ...] = ()

    def title(self) -> str:
        """Name it for people.

        >>> Run("causal", "gru", 100, 3, (("hidden", 50),)).title()
        'causal, gru (hidden 50), 100 %, seed 3'
        """
        config = ", ".join(f"{name} {value}" for name, value in self.config)
        model = f"{self.model} ({config})" if config else self.model
        return f"{self.protocol}, {model}, {self.percent} %, seed {self.seed}"

    def stored_as(self) -> "Run":
        """Give the run that has the result, which may be that of another protocol."""
        is_whole = self.protocol == "causal" and self.percent == 100
        return self._replace(protocol="disjoint") if is_whole else self

    def file_name(self) -> str:
        """Name its file.

        >>> Run("causal", "gru", 100, 3, (("hidden", 50),)).file_name()
        'disjoint-gru-hidden50-100-3.json'
        """
        run = self.stored_as()
        config = [f"{name}{value}" for name, value in run.config]
        return "-".join([run.protocol, run.model, *config, str(run.percent), f"{run.seed}.json"])


class Result(BaseModel):
    """What came of a run, object by object, so that any figure can be had of it later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_training: int
    n_validation: int
    n_test_seen: int
    n_parameters: int
    best_epoch: int
    validation_accuracy: float
    seconds: float
    ids: list[str]
    target: list[int]
    decided: list[int]


def prepare_folder(folder: Path, settings: Settings, sample: Sample) -> None:
    """Make a folder for runs, or check that the one there has runs of the same kind.

    Raises
    ------
    ConfigError
        It has runs with other settings or other data.
    """
    description = {
        "settings": settings.model_dump(),
        "objects": sample.counts(),
        "bands": list(sample.bands),
    }
    text = json.dumps(description, indent=1) + "\n"
    path = folder / SETTINGS_FILE
    if path.exists() and path.read_text() != text:
        msg = f"{folder} has runs with other settings ({SETTINGS_FILE}): give another --output"
        raise ConfigError(msg)
    (folder / RUNS_FOLDER).mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def do_runs(
    runs: Sequence[Run],
    sample: Sample,
    settings: Settings,
    folder: Path,
    report: Callable[[str], None],
    track: Track = untracked,
) -> dict[Run, Result]:
    """Do the runs that are not done, and give the results of all of them."""
    todo: dict[Run, Run] = {}  # what is run, and as what it was first asked for
    for run in runs:
        if not _path(folder, run).exists():
            todo.setdefault(run.stored_as(), run)
    started, inputs_of = time.monotonic(), _remembered(sample, settings)
    for n_done, (run, asked_for) in enumerate(track(list(todo.items()), "networks"), start=1):
        result = _do(run, inputs_of, sample, settings)
        _write(_path(folder, run), result)
        minutes = (time.monotonic() - started) / 60
        left = minutes / n_done * (len(todo) - n_done)
        report(
            f"{n_done}/{len(todo)} {asked_for.title()}: validation accuracy "
            f"{result.validation_accuracy:.3f} in epoch {result.best_epoch}, "
            f"{result.seconds:.0f} s; about {left:.0f} min left"
        )
    return {run: read_result(folder, run) for run in runs}


def read_result(folder: Path, run: Run) -> Result:
    """Read what `do_runs` wrote."""
    return Result.model_validate_json(_path(folder, run).read_bytes())


class _Inputs(NamedTuple):
    training: Part
    validation: Part
    test: Part
    ids: list[str]
    n_test_seen: int


def _remembered(sample: Sample, settings: Settings) -> Callable[[Protocol, int, int], _Inputs]:
    """Prepare inputs; models that follow each other on the same ones share them."""

    @lru_cache(maxsize=1)
    def inputs_of(protocol: Protocol, percent: int, seed: int) -> _Inputs:
        parts = draw_parts(
            sample.ids.tolist(),
            sample.target,
            protocol,
            settings.per_class,
            settings.test_per_class,
            seed,
        )
        training, validation, test = (
            _part(sample, index, protocol, percent, settings.grid) for index in parts
        )
        ids = sample.ids[parts.test].tolist()
        return _Inputs(training, validation, test, ids, parts.n_test_seen())

    return inputs_of


def _part(
    sample: Sample, index: NDArray[np.int64], protocol: Protocol, percent: int, grid: Grid
) -> Part:
    curves = [sample.curves[i] for i in index.tolist()]
    inputs = inputs_at(curves, percent, sample.bands, grid, is_causal=protocol == "causal")
    return Part(inputs, sample.target[index])


def _do(
    run: Run,
    inputs_of: Callable[[Protocol, int, int], _Inputs],
    sample: Sample,
    settings: Settings,
) -> Result:
    started = time.monotonic()
    data = inputs_of(run.protocol, run.percent, run.seed)
    network = _network(run, sample, settings)
    best = _fit(network, run, data, settings)
    return Result(
        n_training=len(data.training.target),
        n_validation=len(data.validation.target),
        n_test_seen=data.n_test_seen,
        n_parameters=sum(p.numel() for p in network.parameters()),
        best_epoch=best.epoch,
        validation_accuracy=best.accuracy,
        seconds=round(time.monotonic() - started, 2),
        ids=data.ids,
        target=data.test.target.tolist(),
        decided=decisions(network, data.test.inputs).tolist(),
    )


def _network(run: Run, sample: Sample, settings: Settings) -> GridNetwork:
    """Build it from the seed; GRU and attentive GRU of one seed begin with the same trunk."""
    torch.manual_seed(run.seed)
    grid = settings.grid.model_copy(update={"length": n_cells(run.percent, settings.grid)})
    implied = implied_config(run.model, sample.bands, sample.classes, grid)
    return cast("GridNetwork", build_network(run.model, {**dict(run.config), **implied}))


def _fit(network: GridNetwork, run: Run, data: _Inputs, settings: Settings) -> Best:
    return fit(
        network,
        data.training,
        data.validation,
        epochs=settings.epochs,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        seed=run.seed,
        bfloat16=settings.bfloat16_convolutions and run.model in CONVOLUTIONS,
    )


def _path(folder: Path, run: Run) -> Path:
    return folder / RUNS_FOLDER / run.file_name()


def _write(path: Path, result: Result) -> None:
    half = path.with_suffix(".part")  # a stop in the middle leaves no half result
    half.write_text(result.model_dump_json())
    half.replace(path)
