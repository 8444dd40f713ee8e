"""The groups that classes form: kinds of transients that even experts tell apart late."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS = {
    "SNIa+91bg+Iax": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn"),
    "SNIbc": ("SNIbc",),
    "SLSN-I": ("SLSN-I",),
    "TDE": ("TDE",),
    "AGN": ("AGN",),
}
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


def group_names(classes: Sequence[str]) -> list[str]:
    """List the groups that classes form, in the order of their first classes."""
    return list(dict.fromkeys(_GROUP_OF.get(name, name) for name in classes))


def group_positions(classes: Sequence[str]) -> Ints:
    """Give the position of each class's group in `group_names`, shape (K,)."""
    names = group_names(classes)
    return np.array([names.index(_GROUP_OF.get(name, name)) for name in classes])


def group_label(group: str, classes: Sequence[str]) -> str:
    """Name a group for people, by those of its classes that there are.

    In `metrics.json` a group has one name whatever the classes, so that bundles can be compared.

    >>> group_label("SNIa+91bg+Iax", ("SNIa", "SNII")), group_label("SNII", ("SNIIn",))
    ('SNIa', 'SNIIn')
    >>> group_label("SNIa+91bg+Iax", ("SNIa", "SNIax"))
    'SNIa+Iax'
    """
    names, parts = GROUPS.get(group, (group,)), group.split("+")
    present = [name in classes for name in names]
    if sum(present) == 1:
        return names[present.index(True)]
    if len(parts) < len(names):
        return group
    return "+".join(part for part, is_present in zip(parts, present, strict=True) if is_present)


def group_labels(classes: Sequence[str]) -> list[str]:
    """Label the groups that classes form, in the order of `group_names`."""
    return [group_label(group, classes) for group in group_names(classes)]


def grouped(
    target: Ints, probabilities: Floats, prior: Floats, classes: Sequence[str]
) -> tuple[Ints, Floats, Floats, list[str]]:
    """Join classes into the groups that they form; a class outside all is a group of its own."""
    names, position = group_names(classes), group_positions(classes)
    member = (position == np.arange(len(names))[:, None]).astype(np.float64)  # (G, K)
    return position[target], probabilities @ member.T, prior @ member.T, names
