"""What every kind of model input can do, and the kinds that `bundle.json` may hold."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Tag

from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.grid_input import Grid
from broker_classifier.model.point_input import Normalisation
from broker_classifier.model.trees.prefix_features import Features


class ModelInput(Protocol):
    """The constants of a network's input, and what they make of light curves.

    A light curve becomes rows of channels: a row for each point, or as many as the kind says.

    Attributes
    ----------
    kind : str
    has_row_per_point : bool
        Whether a row stands for a point, and the network answers at each.
    """

    kind: ClassVar[str]
    has_row_per_point: ClassVar[bool]

    def channel_names(self, band_letters: Sequence[str]) -> tuple[str, ...]:
        """Name the channels in their order."""

    def sizes(self) -> dict[str, int]:
        """Give the sizes of the network, besides its channels, that follow from the constants."""

    def build(self, batch: CurveBatch, band_letters: Sequence[str]) -> NDArray[np.float32]:
        """Build the input of n light curves, none of them empty, from their used points.

        Returns
        -------
        float32 array, shape (n, n_rows, n_channels)
            Where a row stands for a point, padded with zeros at the end.
        """

    def row_mjd(self, mjd: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the time of each row of a light curve with points at these times (MJD)."""

    def flux_formula(self) -> str:
        """Say in letters what the channel `flux` is of a flux f."""


def _kind_of_input(given: Any) -> str:
    """Tell a kind by any of its keys, so that a wrong key is named as that kind's."""
    if isinstance(given, dict):
        kinds = [k.kind for k in (Grid, Features) if set(given) & set(k.model_fields)]
        return kinds[0] if kinds else Normalisation.kind
    return str(getattr(given, "kind", Normalisation.kind))


AnyInput = Annotated[
    Annotated[Normalisation, Tag(Normalisation.kind)]
    | Annotated[Grid, Tag(Grid.kind)]
    | Annotated[Features, Tag(Features.kind)],
    Discriminator(_kind_of_input),
]
