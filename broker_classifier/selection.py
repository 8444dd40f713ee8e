"""Which points of a light curve a bundle takes, and why not the others.

Causal: whether a point counts depends on it and on earlier points only. One exception by design:
a new point may open a new episode, and then the older episode no longer counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.light_curve import Kind, LightCurve, bands

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
_CODE = {reason: np.uint8(code) for code, reason in enumerate(REASONS)}
_CODE_OF_KIND = np.array(
    [_CODE["detection"], _CODE["upper_limit"], _CODE["forced"], _CODE["not_finite"]], dtype=np.uint8
)
_KIND_OF_NAME = {"detection": Kind.DETECTION, "forced": Kind.FORCED}


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
        return tuple(REASONS[code] for code in self.reason.tolist())


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
        reason[usable[:start]] = _CODE["before_episode"]
        reason[usable[start:][mjd[start:] > mjd[start] + selection.window_days]] = _CODE[
            "after_window"
        ]
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

    Parameters
    ----------
    mjd : float array, shape (n,)
        Times of usable points, ascending (days).

    Notes
    -----
    A point opens one if it is the first, if it follows a gap above `episode_gap_days`, or if it
    follows a gap above `isolated_gap_days` and the point before it opened one (was alone in it).
    The last clause is a chain; it is resolved by looking up the nearest point outside the chain.
    """
    gap = np.diff(mjd, prepend=-np.inf)
    opens = gap > selection.episode_gap_days
    in_chain = (gap > selection.isolated_gap_days) & ~opens
    anchor = np.maximum.accumulate(np.where(in_chain, -1, np.arange(len(mjd))))
    return np.asarray(opens[anchor])


def _reasons_of_points(curve: LightCurve, selection: Selection) -> NDArray[np.uint8]:
    reason = _reasons_of_single_points(curve, selection)
    _mark_repeats_in_a_night(curve, selection, reason)
    return reason


def _reasons_of_single_points(curve: LightCurve, selection: Selection) -> NDArray[np.uint8]:
    flux, flux_err, kind, band = curve.psf_flux, curve.psf_flux_err, curve.kind, curve.band
    reason = np.zeros(len(curve), dtype=np.uint8)
    if selection.positive_only:
        reason[flux <= 0] = _CODE["negative"]
    # The sum is finite only where both are; a comparison with NaN is False.
    reason[~(np.isfinite(flux + flux_err) & (flux_err > 0))] = _CODE["not_finite"]
    reason[band_positions(selection.bands)[band] < 0] = _CODE["band"]
    refused = ~_takes_kind(selection)[kind]
    reason[refused] = _CODE_OF_KIND[kind[refused]]
    reason[curve.is_withdrawn] = _CODE["withdrawn"]
    return reason


def _takes_kind(selection: Selection) -> NDArray[np.bool_]:
    taken = np.zeros(4, dtype=bool)
    taken[[_KIND_OF_NAME[name] for name in selection.kinds]] = True
    return taken


def _mark_repeats_in_a_night(
    curve: LightCurve, selection: Selection, reason: NDArray[np.uint8]
) -> None:
    if not selection.one_per_band_and_night:
        return
    usable = np.flatnonzero(reason == 0)
    night = np.floor(curve.mjd[usable] + selection.night_offset_days).astype(np.int64)
    key = night * 8 + curve.band[usable]
    order = np.argsort(key, kind="stable")
    key = key[order]
    reason[usable[order[1:][key[1:] == key[:-1]]]] = _CODE["same_night"]
