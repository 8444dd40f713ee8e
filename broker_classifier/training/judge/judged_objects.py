"""The objects that a bundle is judged on, and how many of them it has seen in training."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from broker_classifier.errors import DataError
from broker_classifier.model.bundle import Bundle, load_bundle
from broker_classifier.model.bundle_files import Description
from broker_classifier.model.find_bundle import find_bundle
from broker_classifier.training.data.labelled_objects import (
    DataFolders,
    LabelledObject,
    folders_of,
    name_of,
    preferred_objects,
    read_labels,
    read_objects,
)
from broker_classifier.training.data.split import TEST, TRAIN, VALIDATION, split_of
from broker_classifier.training.homogenise.examples import Example, make_examples
from broker_classifier.training.homogenise.homogenisation import Homogenisation, read_homogenisation
from broker_classifier.training.judge.gates.evidence import Evidence

ALL, AUTO = "all", "auto"
SPLITS = (AUTO, ALL, TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Judged:
    """A bundle and the objects that it is judged on.

    Attributes
    ----------
    split : str
        "all", or the part of the bundle's own data.
    views : list of LabelledObject
        Every view of every object of the bundle's classes, whatever its split.
    chosen : list of LabelledObject
        One view of each object of the split.
    examples : list of Example
        Of those that have a usable detection.
    is_own_data : bool
        Whether the bundle was trained on other objects of these data, or on these.
    """

    bundle: Bundle
    rules: Homogenisation
    split: str
    views: list[LabelledObject]
    chosen: list[LabelledObject]
    examples: list[Example]
    is_own_data: bool

    @property
    def evidence(self) -> Evidence:
        """What the provenance gates look at."""
        has_trained = self.is_own_data or self.split != ALL
        return Evidence(
            self.bundle,
            self.rules,
            self.views,
            is_judged=lambda name: self.split in (ALL, _part_of(name, self.bundle)),
            has_trained=lambda name: has_trained and _part_of(name, self.bundle) == TRAIN,
        )

    def told(self, data_name: str) -> str:
        """Say which objects are judged, and warn of those that the bundle has seen."""
        bundle, n = f"{self.bundle.name} {self.bundle.version}", len(self.examples)
        which = "" if self.split == ALL else f"{self.split} "
        judged = f"judging {bundle} on the {n} {which}objects of {data_name}"
        parts = Counter(_part_of(e.canonical_id, self.bundle) for e in self.examples)
        n_seen = parts[TRAIN] + parts[VALIDATION] if self.is_own_data else 0
        if n_seen:
            return (
                f"{judged}; WARNING: it has seen {n_seen} of them in training, so that the figures "
                f"flatter it: --split {TEST} judges the others"
            )
        if self.is_own_data:
            return f"{judged}; it was trained on others of these data and has seen none of them"
        return f"{judged}; by its record it was not trained on these data"


def read_judged(bundle_path: str | Path, data: DataFolders, split: str = AUTO) -> Judged:
    """Load a bundle and prepare the objects of one split for it, see `chosen_split`.

    Raises
    ------
    BundleError, DataError
        The bundle or the data cannot be used, the split has no object, or none of its objects has
        a usable detection.
    """
    folder = find_bundle(bundle_path)
    bundle, rules = load_bundle(folder), read_homogenisation(folder)
    is_own_data = was_trained_on(data, bundle.description)
    split = chosen_split(split, is_own_data=is_own_data)
    views = read_objects(data, bundle.classes)
    one_view = preferred_objects(views)
    chosen = [o for o in one_view if split in (ALL, _part_of(o.canonical_id, bundle))]
    if not chosen:
        msg = f"No object of {name_of(data)} is in the part {split!r}: judge another with --split"
        raise DataError(msg)
    examples = make_examples(chosen, rules, bundle.selection, bundle.classes)
    if not examples:
        msg = f"No object of {name_of(data)} has a usable detection: are its fluxes in nJy?"
        raise DataError(msg)
    return Judged(bundle, rules, split, views, chosen, examples, is_own_data)


def chosen_split(split: str, *, is_own_data: bool) -> str:
    """Choose the split for "auto": of the bundle's own data those that test, of others all.

    Raises
    ------
    DataError
        There is no split of this name.
    """
    if split not in SPLITS:
        msg = f"There is no split {split!r}: use {', '.join(SPLITS)}"
        raise DataError(msg)
    if split != AUTO:
        return split
    return TEST if is_own_data else ALL


def was_trained_on(data: DataFolders, description: Description) -> bool:
    """Tell whether data are those of a bundle's training, by what its record says.

    Either a folder has the name of a folder of the training, or as many objects of each class test
    as did then: which objects test is a function of their ids.
    """
    record = description.training
    names = {folder.resolve().name for folder in folders_of(data)}
    if names & set(record.data.split(", ")):
        return True
    labels = read_labels(data, description.classes)
    tested = Counter(label for name, label in labels.items() if split_of(name, record.fold) == TEST)
    recorded = Counter(record.n_objects.get(TEST, {}))
    return recorded.total() > 0 and tested == recorded


def _part_of(canonical_id: str, bundle: Bundle) -> str:
    return split_of(canonical_id, bundle.description.training.fold)
