"""The two kinds of model input: a row per point, or a grid; and which network takes which."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from broker_classifier.model.grid_input import Grid, grid_channel_names
from broker_classifier.model.networks import ARCHITECTURES
from broker_classifier.model.point_input import Normalisation, channel_names


def _kind_of_input(given: Any) -> str:
    """Tell a grid by any of its keys, so that a wrong key is named as the one kind's."""
    if isinstance(given, dict):
        return "grid" if set(given) & set(Grid.model_fields) else "points"
    return "grid" if isinstance(given, Grid) else "points"


ModelInput = Annotated[
    Annotated[Normalisation, Tag("points")] | Annotated[Grid, Tag("grid")],
    Discriminator(_kind_of_input),
]


def n_input_channels(band_letters: Sequence[str], model_input: ModelInput) -> int:
    """Count the channels.

    >>> n_input_channels("ugrizy", Grid())
    12
    """
    if isinstance(model_input, Grid):
        return len(grid_channel_names(band_letters, model_input))
    return len(channel_names(band_letters))


def implied_config(
    architecture: str, band_letters: Sequence[str], classes: Sequence[str], model_input: ModelInput
) -> dict[str, Any]:
    """Give the part of a network's configuration that its input and its classes decide.

    Raises
    ------
    ValueError
        The architecture is unknown, or takes the other kind of input.

    Examples
    --------
    >>> implied_config("fcn", "gr", ("SNIa", "SNII"), Grid(length=64))
    {'n_channels': 4, 'n_classes': 2, 'length': 64}
    """
    if architecture not in ARCHITECTURES:
        msg = f"architecture {architecture!r} is unknown, not in {sorted(ARCHITECTURES)}"
        raise ValueError(msg)
    known = ARCHITECTURES[architecture]
    if known.takes_grid != isinstance(model_input, Grid):
        names = {True: ", ".join(Grid.model_fields), False: ", ".join(Normalisation.model_fields)}
        msg = f"normalisation: {architecture} takes {names[known.takes_grid]}"
        raise ValueError(msg)
    sizes = {
        "n_channels": n_input_channels(band_letters, model_input),
        "n_classes": len(classes),
    }
    if isinstance(model_input, Grid) and "length" in known.config.model_fields:
        sizes["length"] = model_input.length
    return sizes
