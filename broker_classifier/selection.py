"""Which points of a light curve a bundle takes, and why not the others.

Causal: whether a point counts depends on it and on earlier points only. One exception by design:
a new point may open a new episode, and then the older episode no longer counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numba import types
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.compiled import cached_for, compiled
from broker_classifier.light_curve import (
    BAND_MASK,
    KIND_MASK,
    KIND_SHIFT,
    POINTS,
    WITHDRAWN,
    LightCurve,
    bands,
)

REASONS = (
    "",
    "withdrawn",
    "detection",
    "upper_limit",
    "forced",
    "band",
    "not_finite",
    "negative",
    "same_night",
    "before_episode",
    "after_window",
)
CODE = {reason: np.uint8(code) for code, reason in enumerate(REASONS)}
_USED, _WITHDRAWN_CODE, _BAND = CODE[""], CODE["withdrawn"], CODE["band"]
_NOT_FINITE, _NEGATIVE, _SAME_NIGHT = CODE["not_finite"], CODE["negative"], CODE["same_night"]
_KINDS = ("detection", "upper_limit", "forced", "not_finite")  # by `Kind`; the fourth is no kind


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
    night_offset_days: float = 0.3
    isolated_gap_days: float = Field(30.0, gt=0)
    episode_gap_days: float = Field(100.0, gt=0)
    window_days: float = Field(200.0, gt=0)


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
    >>> from broker_classifier.light_curve import light_curve
    >>> curve = light_curve([1.0, 60.0, 61.0, 62.0], [50.0, 60.0, -9.0, 70.0], 5.0, bands("rrrg"))
    >>> select(curve, Selection()).rejected
    ('before_episode', '', 'negative', '')
    """
    reason = _reasons_of_points(curve, selection)
    usable = np.flatnonzero(reason == 0)
    if len(usable):
        mjd = curve.mjd[usable]
        start = int(np.flatnonzero(is_episode_start(mjd, selection))[-1])
        is_after = mjd[start:] > mjd[start] + selection.window_days
        reason[usable[:start]] = CODE["before_episode"]
        reason[usable[start:][is_after]] = CODE["after_window"]
    return Selected(np.flatnonzero(reason == 0), reason)


def episodes(curve: LightCurve, selection: Selection) -> list[NDArray[np.intp]]:
    """Give the points that each episode would use, oldest episode first.

    The last one is `select(curve, selection).index`.
    """
    usable = np.flatnonzero(_reasons_of_points(curve, selection) == 0)
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
    positions[bands(letters)] = np.arange(len(letters))
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
    starts: NDArray[np.bool_] = _episode_starts(mjd, *gaps)
    return starts


def _reasons_of_points(curve: LightCurve, selection: Selection) -> NDArray[np.uint8]:
    takes_band, code_of_kind = _tables(selection)
    reasons: NDArray[np.uint8] = _reasons(
        curve.points,
        takes_band,
        code_of_kind,
        selection.positive_only,
        selection.one_per_band_and_night,
        selection.night_offset_days,
    )
    return reasons


@lru_cache(maxsize=16)
def _tables(selection: Selection) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Tabulate which of 8 bands are taken, and the reason for each of 4 kinds (0 if taken)."""
    code_of_kind = np.array([CODE[name] for name in _KINDS], dtype=np.uint8)
    code_of_kind[[_KINDS.index(name) for name in selection.kinds]] = 0
    return band_positions(selection.bands) >= 0, code_of_kind


@cached_for(
    types.bool_[:](types.Array(types.float64, 1, "A", readonly=True), types.float64, types.float64)
)
def _episode_starts(
    mjd: NDArray[np.float64], isolated_gap: float, episode_gap: float
) -> NDArray[np.bool_]:
    starts = np.zeros(len(mjd), dtype=np.bool_)
    for i in range(len(mjd)):
        gap = mjd[i] - mjd[i - 1] if i else np.inf
        starts[i] = gap > episode_gap or (gap > isolated_gap and starts[i - 1])
    return starts


@compiled
def _reason_of_point(
    point: Any, takes_band: NDArray[np.bool_], code_of_kind: NDArray[np.uint8], positive_only: bool
) -> Any:
    band, kind = point.flags & BAND_MASK, point.flags >> KIND_SHIFT & KIND_MASK
    flux, flux_err = point.psf_flux, point.psf_flux_err
    if point.flags & WITHDRAWN:
        return _WITHDRAWN_CODE
    if code_of_kind[kind]:
        return code_of_kind[kind]
    if not takes_band[band]:
        return _BAND
    if not (np.isfinite(flux) and np.isfinite(flux_err) and flux_err > 0):
        return _NOT_FINITE
    return _NEGATIVE if positive_only and flux <= 0 else _USED


@cached_for(
    types.uint8[:](POINTS, types.bool_[:], types.uint8[:], types.bool_, types.bool_, types.float64)
)
def _reasons(
    points: NDArray[np.void],
    takes_band: NDArray[np.bool_],
    code_of_kind: NDArray[np.uint8],
    positive_only: bool,
    one_per_band_and_night: bool,
    night_offset: float,
) -> NDArray[np.uint8]:
    reasons = np.empty(len(points), dtype=np.uint8)
    last_night = np.full(8, -np.inf)
    for i in range(len(points)):
        reasons[i] = _reason_of_point(points[i], takes_band, code_of_kind, positive_only)
        if reasons[i] == 0 and one_per_band_and_night:
            band = points[i].flags & BAND_MASK
            night = np.floor(points[i].mjd + night_offset)
            if night == last_night[band]:
                reasons[i] = _SAME_NIGHT
            last_night[band] = night
    return reasons
