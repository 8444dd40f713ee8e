"""Positions on the sky as the index keeps them: unit vectors for cones, cells for the map."""

import math
from typing import NamedTuple

ROWS = 90
"""Rows of the map's cells, 2 degrees high; their cells are about as wide."""


class Place(NamedTuple):
    """A position: the unit vector towards it, and the number of its cell."""

    x: float
    y: float
    z: float
    cell: int


def place(ra: float, dec: float) -> Place:
    """Compute the place of a position in degrees.

    >>> place(0.0, 90.0).z
    1.0
    """
    a, d = math.radians(ra), math.radians(dec)
    return Place(math.cos(d) * math.cos(a), math.cos(d) * math.sin(a), math.sin(d), cell(ra, dec))


def cell(ra: float, dec: float) -> int:
    """Return the number of a position's cell: rows from the south, each of as many as fit.

    >>> cell(0.0, -90.0), cell(359.9, 90.0) // 1000
    (0, 89)
    """
    row = min(ROWS - 1, int((dec + 90.0) / 180.0 * ROWS))
    n_in_row = max(1, round(2 * ROWS * math.cos(math.radians((row + 0.5) * 180.0 / ROWS - 90.0))))
    return row * 1000 + int((ra % 360.0) / 360.0 * n_in_row)


def chord_squared(radius_deg: float) -> float:
    """Return the squared distance of unit vectors that are an angle apart.

    >>> round(chord_squared(60.0), 12)
    1.0
    """
    return 4.0 * math.sin(math.radians(radius_deg) / 2.0) ** 2
