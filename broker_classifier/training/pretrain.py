"""Pretraining: what a network can learn of supernovae that another survey has typed."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from broker_classifier.errors import ConfigError, DataError
from broker_classifier.models import Network, build_network
from broker_classifier.training.examples import make_examples
from broker_classifier.training.fit_network import fit_network
from broker_classifier.training.homogenise import Homogenisation
from broker_classifier.training.nearer import brought_nearer
from broker_classifier.training.objects import DataFolders, LabelledObject, name_of, read_objects
from broker_classifier.training.recipe import Recipe
from broker_classifier.training.run import Run
from broker_classifier.training.split import TRAIN, VALIDATION, split_of

PRETRAINING_FOLDER = "pretraining"


def pretrained_network(
    data: DataFolders | None,
    near: Sequence[LabelledObject],
    rules: Homogenisation,
    recipe: Recipe,
    run: Run,
) -> Network:
    """Build the recipe's network, pretrained if there are data for it.

    Parameters
    ----------
    data : path or sequence of paths, or None
        Folders of labelled light curves with redshifts; None for a network of random weights.
    near : sequence of LabelledObject
        The training objects proper, see `nearer.brought_nearer`.
    rules : Homogenisation
    recipe : Recipe
    run : Run
        Of the training; the pretraining's checkpoint and events get a folder in its own.

    Raises
    ------
    ConfigError, DataError
        The recipe has no pretraining; the data have no object that can be brought near.
    """
    torch.manual_seed(run.seed)
    learned: dict[str, torch.Tensor] = {}
    if data is not None:
        learned = _pretrained(data, near, rules, recipe, run).state_dict()
    elif recipe.pretraining:
        run.report("no folder to pretrain on is given: the network starts from random weights")
    network = build_network(recipe.architecture, recipe.network_config())
    ours = network.state_dict()
    taken = {name: t for name, t in learned.items() if t.shape == ours[name].shape}
    network.load_state_dict(ours | taken)
    return network


def _pretrained(
    data: DataFolders,
    near: Sequence[LabelledObject],
    rules: Homogenisation,
    recipe: Recipe,
    run: Run,
) -> Network:
    how = recipe.pretraining
    if how is None:
        msg = f"the recipe {recipe.name} has no [pretraining]: add it, or give no folder for it"
        raise ConfigError(msg)
    found = brought_nearer(read_objects(data, recipe.classes), near, how, rules.noise)
    parts = [[o for o in found if split_of(o.canonical_id) == p] for p in (TRAIN, VALIDATION)]
    labels = [{o.label for o in part} for part in parts]
    classes = tuple(c for c in recipe.classes if all(c in known for known in labels))
    if len(classes) < 2:
        msg = f"{name_of(data)} has no two classes of supernovae with redshifts to pretrain on"
        raise DataError(msg)
    first = recipe.model_copy(
        update={
            "classes": classes,
            "optimisation": recipe.optimisation.model_copy(update={"epochs": how.epochs}),
        }
    )
    training, validation = (
        make_examples([o for o in part if o.label in classes], rules, first.selection, classes)
        for part in parts
    )
    run.report(f"pretraining: {len(training)} train, {len(validation)} validate")
    network = build_network(first.architecture, first.network_config())
    its_run = replace(run, folder=run.folder / PRETRAINING_FOLDER)
    fit_network(network, training, validation, rules.noise, first, its_run)
    return network
