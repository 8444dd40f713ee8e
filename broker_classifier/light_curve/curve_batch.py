"""Many light curves as one array, for loops that take all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve.curve import LightCurve, joined, starts_of

DType = TypeVar("DType", bound=np.generic)


@dataclass(frozen=True, eq=False)
class CurveBatch:
    """The points of n light curves, one light curve after another; `len` is n.

    Attributes
    ----------
    points : structured array of dtype `POINT`, shape (n_points,)
    starts : int array, shape (n + 1,)
        Where in `points` each light curve begins, and where the last ends.
    """

    points: NDArray[np.void]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, curves: Sequence[LightCurve]) -> Self:
        """Put light curves one after another.

        >>> from broker_classifier.light_curve import EMPTY, light_curve
        >>> curve = light_curve([60000.0, 60001.0], 100.0, 10.0, "g")
        >>> CurveBatch.of([curve, EMPTY, curve]).starts.tolist()
        [0, 2, 2, 4]
        """
        points = curves[0].points if len(curves) == 1 else joined(curves)
        return cls(points, starts_of(len(curve.points) for curve in curves))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of points of each light curve, shape (n,)."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def age_days(self) -> NDArray[np.float64]:
        """Days from the first point of each light curve to its last, shape (n,); none is empty."""
        mjd = self.points["mjd"]
        return np.asarray(mjd[self.starts[1:] - 1] - mjd[self.starts[:-1]])

    def take(self, index: NDArray[np.int64]) -> "CurveBatch":
        """Keep some of the points, at ascending positions in `points`; the light curves stay n."""
        return CurveBatch(self.points[index], index.searchsorted(self.starts))

    def without_empty(self) -> "CurveBatch":
        """Leave out the light curves that have no point."""
        return self if self.lengths.all() else CurveBatch(self.points, np.unique(self.starts))

    def split(self, values: NDArray[DType]) -> list[NDArray[DType]]:
        """Divide what has a value for each point into an array for each light curve."""
        return [values[start:stop] for start, stop in pairwise(self.starts.tolist())]
