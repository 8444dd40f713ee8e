"""Where model bundles are: folders of anybody's, and the shipped ones, which have names.

The shipped bundles stand inside an installed package, and in `models/` beside it in a checkout.
"""

import json
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from broker_classifier.errors import BundleError

DESCRIPTION_FILE = "bundle.json"
_PACKAGE = Path(__file__).parents[1]


class ShippedBundle(NamedTuple):
    """What a shipped bundle says of itself."""

    name: str
    version: str
    survey: str
    classes: list[str]
    folder: Path


def find_bundle(name: str | Path) -> Path:
    """Return the folder of a bundle: a path that exists, else the shipped bundle of this name.

    >>> find_bundle("ztf-transients").name
    'ztf-transients'

    Raises
    ------
    BundleError
        If it is neither; lists the shipped ones.
    """
    path, shipped = Path(name), shipped_bundles()
    if path.exists():
        return path
    if str(name) in shipped:
        return shipped[str(name)]
    nearest = get_close_matches(path.name, shipped, n=1)
    advice = (
        f"did you mean {nearest[0]}? Shipped" if nearest else "give a folder, or a name: shipped"
    )
    msg = f"{name} is no folder and no shipped bundle; {advice} are {', '.join(shipped)}"
    raise BundleError(msg)


def shipped_bundles() -> dict[str, Path]:
    """Return the folder of every shipped bundle by its name, in the order of the names."""
    described = sorted(bundles_folder().glob(f"*/{DESCRIPTION_FILE}"))
    return {path.parent.name: path.parent for path in described}


def bundles_folder() -> Path:
    """Return the folder of the shipped bundles."""
    installed = _PACKAGE / "bundles"
    return installed if installed.is_dir() else _PACKAGE.parent / "models"


def described_bundles() -> list[ShippedBundle]:
    """Read what every shipped bundle says of itself, without loading or checking it."""
    described = []
    for name, folder in shipped_bundles().items():
        description = json.loads((folder / DESCRIPTION_FILE).read_bytes())
        bundle = ShippedBundle(
            name, description["version"], description["survey"], description["classes"], folder
        )
        described.append(bundle)
    return described
