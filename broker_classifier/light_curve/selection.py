"""Which points of a light curve a bundle takes, and why not the others.

Causal: whether a point counts depends on it and on earlier points only. One exception by design:
a new point may open a new episode, and then the older episode no longer counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.light_curve.curve import LightCurve, band_indices
from broker_classifier.light_curve.curve_batch import CurveBatch
from broker_classifier.light_curve.selection_rules import (
    CODE,
    KINDS,
    REASONS,
    episode_starts,
    select_points,
)

NIGHT_OFFSET_DAYS = 0.3


class Selection(BaseModel):
    """The rules, as they stand in `bundle.json`.

    Attributes
    ----------
    bands : tuple of str
        Letters of `BANDS`; their order is the order of the model's channels.
    kinds : tuple of str
        "detection", "forced".
    positive_only : bool
        Leave out negative difference fluxes.
    one_per_band_and_night : bool
        Take the first point of each band and night only.
    night_offset_days : float
        A night is `floor(mjd + offset)`; 0.3 begins it at 16:48 UTC, day in California and Chile.
    isolated_gap_days : float
        A lone point followed by a longer gap does not open the episode of what comes next.
    episode_gap_days : float
        After a longer gap a new episode begins.
    window_days : float
        Only the first days of an episode count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bands: tuple[Literal["u", "g", "r", "i", "z", "y"], ...] = Field(("g", "r"), min_length=1)
    kinds: tuple[Literal["detection", "forced"], ...] = ("detection",)
    positive_only: bool = True
    one_per_band_and_night: bool = True
    night_offset_days: float = NIGHT_OFFSET_DAYS
    isolated_gap_days: float = Field(30.0, gt=0)
    episode_gap_days: float = Field(100.0, gt=0)
    window_days: float = Field(200.0, gt=0)


@dataclass(frozen=True)
class Selections:
    """What `select` says of n light curves at once.

    Attributes
    ----------
    batch : CurveBatch
        All points.
    reason : uint8 array, shape (n_points,)
    index : int array, shape (n_used,)
        Ascending positions in `batch.points` of the points that count.
    """

    batch: CurveBatch
    reason: NDArray[np.uint8]
    index: NDArray[np.int64]


@dataclass(frozen=True)
class Selected:
    """The points that count, and a reason for each that does not.

    Attributes
    ----------
    index : int array, shape (n_used,)
        Ascending positions in the light curve.
    reason : uint8 array, shape (n,)
        Positions in `REASONS`; 0 where the point is used.
    """

    index: NDArray[np.intp]
    reason: NDArray[np.uint8]

    @property
    def rejected(self) -> tuple[str, ...]:
        """Reason of every point of the light curve, "" where it is used."""
        return tuple([REASONS[code] for code in self.reason.tolist()])


def select(curve: LightCurve, selection: Selection) -> Selected:
    """Choose the points of the newest episode of a light curve; none for an empty one.

    Examples
    --------
    >>> from broker_classifier import light_curve
    >>> curve = light_curve([1.0, 60.0, 61.0, 62.0], [50.0, 60.0, -9.0, 70.0], 5.0, "rrrg")
    >>> select(curve, Selection()).rejected
    ('before_episode', '', 'negative', '')
    """
    selections = select_all([curve], selection)
    return Selected(selections.index, selections.reason)


def select_all(curves: Sequence[LightCurve], selection: Selection) -> Selections:
    """Choose the points of the newest episode of each light curve, all in one compiled loop."""
    takes_band, code_of_kind = _tables(selection)
    batch = CurveBatch.of(curves)
    reason, index = select_points(
        batch.points,
        batch.starts,
        takes_band,
        code_of_kind,
        selection.positive_only,
        selection.one_per_band_and_night,
        selection.night_offset_days,
        selection.isolated_gap_days,
        selection.episode_gap_days,
        selection.window_days,
    )
    return Selections(batch, reason, index)


def episodes(curve: LightCurve, selection: Selection) -> list[NDArray[np.intp]]:
    """Give the points that each episode would use, oldest episode first.

    The last one is `select(curve, selection).index`.
    """
    reason = select(curve, selection).reason
    by_episode = (CODE["before_episode"], CODE["after_window"])
    usable = np.flatnonzero((reason == 0) | np.isin(reason, by_episode))
    mjd = curve.mjd[usable]
    starts = np.flatnonzero(is_episode_start(mjd, selection))
    ends = np.searchsorted(mjd, mjd[starts] + selection.window_days, side="right")
    ends = np.minimum(ends, [*starts[1:], len(usable)])
    return [usable[start:end] for start, end in zip(starts, ends, strict=True)]


def band_positions(letters: Sequence[str]) -> NDArray[np.int64]:
    """Tabulate, for every value of `LightCurve.band`, its position in `letters`; -1 if not there.

    >>> band_positions("gr")[[1, 2, 3]].tolist()
    [0, 1, -1]
    """
    positions = np.full(8, -1, dtype=np.int64)  # 3 bits, so 8 values can occur
    positions[band_indices(letters)] = np.arange(len(letters))
    return positions


def is_episode_start(mjd: NDArray[np.float64], selection: Selection) -> NDArray[np.bool_]:
    """Mark the points that open an episode.

    A point opens one if it is the first, if it follows a gap above `episode_gap_days`, or if it
    follows a gap above `isolated_gap_days` and the point before it opened one (was alone in it).

    Parameters
    ----------
    mjd : float array, shape (n,)
        Times of usable points, ascending (days).
    """
    gaps = selection.isolated_gap_days, selection.episode_gap_days
    starts: NDArray[np.bool_] = episode_starts(mjd, *gaps)
    return starts


@lru_cache(maxsize=16)
def _tables(selection: Selection) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Tabulate which of 8 bands are taken, and the reason for each of 4 kinds (0 if taken)."""
    code_of_kind = np.array([CODE[name] for name in KINDS], dtype=np.uint8)
    code_of_kind[[KINDS.index(name) for name in selection.kinds]] = 0
    return band_positions(selection.bands) >= 0, code_of_kind
