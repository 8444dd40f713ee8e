"""Who trains, validates and tests, and what of a light curve is shown: the poster's way, or clean.

as-published   training and test objects are drawn independently of each other, so that a class
               with few objects has the same ones in both; a partial light curve is the
               beginning of the whole one's grid, which was interpolated with the points to come
disjoint       no object trains and tests; the partial light curves as published
causal         disjoint, and points after the cut are removed before the grid is made
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch, LightCurve
from broker_classifier.model.grid_input import Grid, grid_positions
from broker_classifier.training.data.split import TEST, TRAIN, VALIDATION, split_of

Protocol = Literal["as-published", "disjoint", "causal"]
PROTOCOLS: tuple[Protocol, ...] = ("as-published", "disjoint", "causal")
PERCENTS = (100, 50, 25)
VALIDATION_SHARE = 0.2
ROUNDING_CELLS = 1e-9  # the last point may come to lie a little after the last cell
Ints = NDArray[np.int64]


class Parts(NamedTuple):
    """Positions of the objects of each part."""

    training: Ints
    validation: Ints
    test: Ints

    def n_test_seen(self) -> int:
        """Count the test objects that were trained on or chose the best epoch."""
        return int(np.isin(self.test, np.concatenate([self.training, self.validation])).sum())


def draw_parts(
    ids: Sequence[str],
    target: Ints,
    protocol: Protocol,
    per_class: int,
    test_per_class: int,
    seed: int,
) -> Parts:
    """Draw a balanced sample: each class capped, classes with fewer objects as they are.

    Parameters
    ----------
    ids : sequence of str, length n
        Decide the disjoint split, see `split`.
    target : int array, shape (n,)
        Classes.
    protocol : Protocol
    per_class : int
        Of which a fifth validates.
    test_per_class : int
    seed : int
        Other seeds draw others; the disjoint split stays.
    """
    random = np.random.default_rng(seed)
    n_validation = max(1, round(VALIDATION_SHARE * per_class))
    every_object = np.arange(len(target))
    if protocol == "as-published":
        drawn = _capped(every_object, target, per_class, random)
        validation = _share(drawn, target, VALIDATION_SHARE)
        test = _capped(every_object, target, test_per_class, random)
        return Parts(np.setdiff1d(drawn, validation), validation, test)
    split = np.array([split_of(object_id) for object_id in ids])
    return Parts(
        _capped(np.flatnonzero(split == TRAIN), target, per_class - n_validation, random),
        _capped(np.flatnonzero(split == VALIDATION), target, n_validation, random),
        _capped(np.flatnonzero(split == TEST), target, test_per_class, random),
    )


def _capped(of: Ints, target: Ints, at_most: int, random: np.random.Generator) -> Ints:
    shuffled = random.permutation(of)
    return np.concatenate(
        [shuffled[target[shuffled] == k][:at_most] for k in range(target.max() + 1)]
    )


def _share(of: Ints, target: Ints, share: float) -> Ints:
    by_class = [of[target[of] == k] for k in range(target.max() + 1)]
    return np.concatenate([objects[: max(1, round(share * len(objects)))] for objects in by_class])


def n_cells(percent: int, grid: Grid) -> int:
    """Count the cells of a partial light curve.

    >>> [n_cells(percent, Grid()) for percent in PERCENTS]
    [128, 64, 32]
    """
    return grid.length * percent // 100


def inputs_at(
    curves: Sequence[LightCurve],
    percent: int,
    bands: Sequence[str],
    grid: Grid,
    is_causal: bool,
) -> NDArray[np.float32]:
    """Make the input of n light curves at a percentage of their time span.

    Either way a network gets as many cells. Causal ones span the time from the first to the last
    known point; the others are the first cells of a grid over the whole light curve.

    Returns
    -------
    float32 array, shape (n, n_cells, n_channels)
    """
    cells = n_cells(percent, grid)
    if is_causal:
        shown, grid = [until_cell(c, cells, grid.length) for c in curves], _with(grid, cells)
    else:
        shown = list(curves)
    return grid.build(CurveBatch.of(shown), bands)[:, :cells]


def until_cell(curve: LightCurve, cells: int, length: int) -> LightCurve:
    """Keep the points that lie in the first cells of the whole light curve's grid."""
    position = grid_positions(curve.mjd, length)
    last = cells - 1 + ROUNDING_CELLS
    return LightCurve(curve.points[: np.searchsorted(position, last, side="right")])


def _with(grid: Grid, length: int) -> Grid:
    return grid.model_copy(update={"length": length})
