"""Used points of light curves to logits and attention, for a network that takes a grid."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.encoder import Encoded
from broker_classifier.model.grid_input import Grid, grid_positions
from broker_classifier.model.networks import GridNetwork


class GridEncoder:
    """A grid network with the preparation of its input; every new point means a new grid.

    Parameters
    ----------
    network : GridNetwork
    bands : sequence of str
        Letters of the bundle's bands.
    grid : Grid
    """

    hears_silence = False

    def __init__(self, network: GridNetwork, bands: Sequence[str], grid: Grid) -> None:
        self._network, self._bands, self._grid = network, bands, grid

    def encode(
        self,
        batch: CurveBatch,
        encoder_states: Sequence[bytes] | None = None,
        silence_days: NDArray[np.float64] | None = None,
    ) -> Encoded:
        """Do what `Encoder.encode` says; the states are all b""."""
        inputs = torch.from_numpy(self._grid.build(batch, self._bands))
        with torch.inference_mode():
            logits, attention = self._network(inputs)
        of_points = None
        if attention is not None:
            of_cells = attention.double().mean(dim=1).numpy()  # (n, hops, L) -> (n, L)
            times = batch.split(batch.points["mjd"])
            of_points = np.concatenate(list(map(point_attention, of_cells, times)))
        return Encoded(logits.numpy(), of_points, [b""] * len(batch))


def point_attention(of_cells: NDArray[np.float64], mjd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the attention of every cell to the point nearest in time; the result sums to 1.

    Points of the same time share; halfway between two times the earlier one gets it.

    Parameters
    ----------
    of_cells : float array, shape (L,)
    mjd : float array, shape (n,)
        Ascending (days).

    Examples
    --------
    >>> point_attention(np.array([0.5, 0.125, 0.125, 0.25]), np.array([10.0, 10.0, 13.0])).tolist()
    [0.3125, 0.3125, 0.375]
    """
    position = grid_positions(mjd, len(of_cells))
    times, which, counts = np.unique(position, return_inverse=True, return_counts=True)
    owner = np.searchsorted((times[1:] + times[:-1]) / 2, np.arange(len(of_cells)))
    share = np.bincount(owner, of_cells / of_cells.sum(), minlength=len(times))
    return np.asarray((share / counts)[which])
