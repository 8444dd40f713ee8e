"""Training a bundle: data, model, loop, calibration, save; reads from top to bottom."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from broker_classifier.errors import ConfigError, DataError
from broker_classifier.model.architectures import build_network
from broker_classifier.model.bundle import MEMBERS_FOLDER, Bundle, load_bundle
from broker_classifier.model.bundle_files import TrainingRecord
from broker_classifier.model.calibration import Calibration
from broker_classifier.model.find_bundle import DESCRIPTION_FILE
from broker_classifier.model.networks import Network
from broker_classifier.progress import Track, untracked
from broker_classifier.training import make_callable
from broker_classifier.training.card import renew_card
from broker_classifier.training.data.labelled_objects import (
    DataFolders,
    LabelledObject,
    labels_left_out,
    name_of,
    preferred_objects,
    read_objects,
)
from broker_classifier.training.data.split import TEST, TRAIN, VALIDATION, split_of
from broker_classifier.training.fit.checkpoint import CHECKPOINT_FILE
from broker_classifier.training.fit.fit_blend import fit_blend
from broker_classifier.training.fit.fit_network import fit_network
from broker_classifier.training.fit.fit_trees import fit_trees
from broker_classifier.training.fit.journal import Run, choose_device
from broker_classifier.training.fit.network_calibration import network_calibration
from broker_classifier.training.fit.source_balance import balanced_over_sources
from broker_classifier.training.fit.write_bundle import commit_of_code, save_bundle
from broker_classifier.training.homogenise.examples import Example, make_examples
from broker_classifier.training.homogenise.fit_homogenisation import fit_homogenisation
from broker_classifier.training.homogenise.homogenisation import (
    HOMOGENISATION_FILE,
    Homogenisation,
    is_from_alerts,
    seen_again,
)
from broker_classifier.training.recipe import Recipe, read_recipe
from broker_classifier.training.report.metrics_file import checked_folder, left_out

RUN_FOLDER = "training"
Parts = dict[str, list[LabelledObject]]


def train(
    recipe_path: str | Path,
    data: DataFolders,
    output_folder: str | Path,
    seed: int = 0,
    report: Callable[[str], None] = lambda message: None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    fold: int = 0,
    has_card: bool = True,
    track: Track = untracked,
) -> Bundle:
    """Train a bundle on folders of labelled light curves and write it.

    The test objects are set aside before anything is fitted; `evaluate` with split "test" judges
    the bundle on them.

    Parameters
    ----------
    recipe_path : path
        TOML, see `recipe.Recipe`.
    data : path or sequence of paths
        Folders as `data/labelled_objects.py` describes them.
    output_folder : path
        The bundle; its name in the description is the recipe's. Its folder `training` gets event
        files for TensorBoard and, until the bundle is complete, a checkpoint after every epoch.
    seed : int
        Of weights, augmentation and order.
    report : callable
        Takes one line of progress at a time.
    resume : bool
        Go on from the checkpoint, if there is one; on a CPU the weights come out as if nothing
        had happened.
    overwrite : bool
        Replace a bundle that the folder has already; else it is refused.
    device : str
        "auto", "cpu" or "cuda".
    fold : int
        Which objects train, validate and test; see `split_of`.
    has_card : bool
        Judge the bundle on its test objects, and write its card.
    track : Track
        Shows how far it is.

    Raises
    ------
    ConfigError, DataError
        The recipe, the data or the folder cannot be used.
    """
    recipe, folder = read_recipe(recipe_path), _own_folder(output_folder, resume, overwrite)
    run = Run(folder / RUN_FOLDER, seed, resume, choose_device(device), report, track)
    parts = _parts(_read(data, recipe, report), fold)
    rules, training, validation = _prepared(parts, recipe)
    report(f"{len(training)} train, {len(validation)} validate, on {run.device}")
    report(f"detections begin at SNR {_least_snr(rules)}")
    how: dict[str, Any] = {"seed": seed, "report": report, "resume": resume, "device": device}
    how |= {"fold": fold, "track": track, "overwrite": True, "has_card": False}
    member = partial(train, data=data, **how)
    members = _members(recipe, Path(recipe_path), folder, fold, member)
    network, calibration = (
        fit_blend(list(members.values()), validation, recipe, seed)
        if members
        else _fitted(recipe, training, validation, rules, run)
    )
    report(f"temperature {calibration.temperature} at {calibration.n_points} points")
    record = _record(recipe_path, data, parts, recipe, seed, fold)
    description = _description(recipe, network, calibration, record)
    bundle = save_bundle(folder, network, description, members)
    (folder / HOMOGENISATION_FILE).write_text(rules.model_dump_json(indent=1) + "\n")
    if has_card:
        renew_card(folder, recipe, data, track=track)
    (run.folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    report(f"bundle {bundle.name} {bundle.version} written to {folder}, hash {bundle.hash[:12]}")
    return bundle


def _own_folder(path: str | Path, resume: bool, overwrite: bool) -> Path:
    """Check the bundle's folder; refuse one with a complete bundle that is not to be replaced."""
    folder = checked_folder(path)
    under_way = resume and (folder / RUN_FOLDER / CHECKPOINT_FILE).exists()
    if (folder / DESCRIPTION_FILE).exists() and not (under_way or overwrite):
        msg = f"{folder} holds a bundle: name another folder with --output, or say --overwrite"
        raise ConfigError(msg)
    return folder


def _read(data: DataFolders, recipe: Recipe, report: Callable[[str], None]) -> list[LabelledObject]:
    """Read the objects of the recipe's classes, and tell of those that have others."""
    objects = read_objects(data, recipe.classes)
    for line in (f"{len(objects)} light curves", *left_out(labels_left_out(data, recipe.classes))):
        report(line)
    return objects


def _parts(objects: Sequence[LabelledObject], fold: int) -> Parts:
    parts: Parts = {TRAIN: [], VALIDATION: [], TEST: []}
    for labelled in objects:
        parts[split_of(labelled.canonical_id, fold)].append(labelled)
    return parts


def _prepared(parts: Parts, recipe: Recipe) -> tuple[Homogenisation, list[Example], list[Example]]:
    """Fit the homogenisation on training objects; make the training and validation examples."""
    training, validation = parts[TRAIN], parts[VALIDATION]
    missing = set(recipe.classes) - {o.label for o in _allowed_in_training(training, recipe)}
    if missing:
        msg = f"No training object of {', '.join(sorted(missing))}: add some or drop the class"
        raise DataError(msg)
    rules = fit_homogenisation(training, recipe.homogenisation, recipe.selection)
    training = _allowed_in_training(training, recipe)
    validation = _allowed_in_training(validation, recipe)
    one_view = preferred_objects(validation)
    alerts = [o for o in training if is_from_alerts(o, rules.alert_sources)]
    again = seen_again([o for o in alerts if o.source in recipe.homogenisation.seen_again])
    training = [*training, *again]
    examples = _examples(training, rules, recipe, recipe.homogenisation.n_draws)
    if recipe.optimisation.balance_sources:
        examples = balanced_over_sources(examples, len(recipe.classes))
    return rules, examples, _examples(one_view, rules, recipe)


def _allowed_in_training(objects: Sequence[LabelledObject], recipe: Recipe) -> list[LabelledObject]:
    """Leave out what the recipe keeps from the network: see `alerts_only`."""
    rules = recipe.homogenisation
    return [
        o
        for o in objects
        if o.label not in rules.alerts_only or is_from_alerts(o, rules.alert_sources)
    ]


def _least_snr(rules: Homogenisation) -> float | tuple[float, ...] | None:
    """Give the SNR of the faintest detections; where it depends on the band, one per band."""
    noise = rules.noise
    return noise.detection_snr if noise.depth is None else noise.depth.threshold_snr


def _fitted(
    recipe: Recipe,
    training: Sequence[Example],
    validation: Sequence[Example],
    rules: Homogenisation,
    run: Run,
) -> tuple[Network, Calibration]:
    """Fit the network of a recipe, and its calibration."""
    torch.manual_seed(run.seed)
    if recipe.architecture == "boosted_trees":
        network: Network = fit_trees(training, rules.noise, recipe, run.seed, run.report)
    else:
        network = build_network(recipe.architecture, recipe.network_config())
        fit_network(network, training, validation, rules.noise, recipe, run)
    return network, network_calibration(network, training, validation, recipe, run.seed)


def _description(
    recipe: Recipe, network: Network, calibration: Calibration, record: TrainingRecord
) -> dict[str, Any]:
    return {
        **recipe.model_dump(include={"name", "version", "survey", "classes", "architecture"}),
        "config": network.config.model_dump(),
        "selection": recipe.selection,
        "normalisation": recipe.normalisation,
        "calibration": calibration,
        "training": record,
    }


def _members(
    recipe: Recipe, recipe_path: Path, folder: Path, fold: int, train_member: Callable[..., Bundle]
) -> dict[str, Bundle]:
    """Train the members of a blend by their own recipes; complete ones are kept."""
    paths = {name: recipe_path.with_name(file) for name, file in recipe.members.items()}
    recipes = {name: read_recipe(path) for name, path in paths.items()}
    for name, of_member in recipes.items():
        if (of_member.classes, of_member.selection) != (recipe.classes, recipe.selection):
            msg = (
                f"members.{name}: {paths[name]} has other classes or another selection: correct it"
            )
            raise ConfigError(msg)
    members = {}
    for name, path in paths.items():
        within = folder / MEMBERS_FOLDER / name
        if not is_complete(within, recipes[name], fold):
            train_member(path, output_folder=within)
        members[name] = load_bundle(within)
    return members


def is_complete(folder: Path, recipe: Recipe, fold: int) -> bool:
    """Tell whether a recipe's bundle of a fold is there.

    Raises
    ------
    ConfigError
        The bundle there is of another recipe or fold.
    """
    if not (folder / DESCRIPTION_FILE).exists():
        return False
    there = load_bundle(folder).description
    expected = (recipe.name, recipe.version, recipe.classes, fold)
    if (there.name, there.version, there.classes, there.training.fold) != expected:
        msg = (
            f"{folder} holds {there.name} {there.version}, fold {there.training.fold}, not "
            f"{recipe.name} {recipe.version}, fold {fold}: name another folder with --output"
        )
        raise ConfigError(msg)
    return True


def _examples(
    objects: Sequence[LabelledObject], rules: Homogenisation, recipe: Recipe, n_draws: int = 1
) -> list[Example]:
    late = recipe.augmentation.late_start_classes
    return make_examples(objects, rules, recipe.selection, recipe.classes, late, n_draws)


def _record(
    recipe_path: str | Path,
    data: DataFolders,
    parts: Parts,
    recipe: Recipe,
    seed: int,
    fold: int,
) -> TrainingRecord:
    met = {
        name: part if name == TEST else _allowed_in_training(part, recipe)
        for name, part in parts.items()
    }
    labels = {name: [o.label for o in preferred_objects(part)] for name, part in met.items()}
    return TrainingRecord(
        data=name_of(data),
        n_objects={
            name: {c: of_part.count(c) for c in recipe.classes} for name, of_part in labels.items()
        },
        recipe=Path(recipe_path).name,
        commit=commit_of_code(),
        seed=seed,
        date=datetime.now(UTC).date().isoformat(),
        alerts_only=recipe.homogenisation.alerts_only,
        fold=fold,
    )


make_callable(__name__)
