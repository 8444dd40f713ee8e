"""Spectroscopic types, as their sources spell them, and classes that labels alone do not name."""

from collections.abc import Sequence

CLASS_OF_TYPE = {"SNIIn": ("SNII", "IIn")}  # class: the label that it is a part of, and its type


def plain_type(raw_type: str) -> str:
    """Bring a type to one spelling.

    >>> plain_type("SN Ia 91T-like"), plain_type("SLSN-I (Gomez+24 Gold)"), plain_type("SN IIn")
    ('Ia-91T', 'SLSN-I', 'IIn')
    """
    plain = raw_type.split("(")[0].strip().removeprefix("SN ").removesuffix("-like")
    return plain.replace(" ", "-")


def refined_label(label: str, raw_type: str, classes: Sequence[str]) -> str:
    """Name the class of an object among these, which may tell apart what its label does not.

    >>> refined_label("SNII", "SN IIn", ("SNIa", "SNII", "SNIIn"))
    'SNIIn'
    >>> refined_label("SNII", "SN IIn", ("SNIa", "SNII"))
    'SNII'
    """
    for name, (whole, part) in CLASS_OF_TYPE.items():
        if name in classes and label == whole and plain_type(raw_type) == part:
            return name
    return label
