"""The rules of selection, compiled: why a point does not count, and where an episode begins."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import (
    BOOL,
    BOOLS,
    FLOAT64,
    INT64S,
    STRIDED_BOOLS,
    STRIDED_FLOAT64S,
    UINT8S,
    cached_for,
    compiled,
    tuple_of,
)
from broker_classifier.light_curve.curve import BAND_MASK, KIND_MASK, KIND_SHIFT, POINTS, WITHDRAWN

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
_BEFORE_EPISODE, _AFTER_WINDOW = CODE["before_episode"], CODE["after_window"]
KINDS = ("detection", "upper_limit", "forced", "not_finite")  # by `Kind`; the fourth is no kind


@cached_for(STRIDED_BOOLS(STRIDED_FLOAT64S, FLOAT64, FLOAT64))
def episode_starts(
    mjd: NDArray[np.float64], isolated_gap: float, episode_gap: float
) -> NDArray[np.bool_]:
    """Mark the usable points that open an episode; see `selection.is_episode_start`."""
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


@compiled
def _reasons(
    points: NDArray[np.void],
    takes_band: NDArray[np.bool_],
    code_of_kind: NDArray[np.uint8],
    positive_only: bool,
    one_per_band_and_night: bool,
    night_offset: float,
    reasons: NDArray[np.uint8],
) -> None:
    last_night = np.full(8, -np.inf)
    for i in range(len(points)):
        reasons[i] = _reason_of_point(points[i], takes_band, code_of_kind, positive_only)
        if reasons[i] == 0 and one_per_band_and_night:
            band = points[i].flags & BAND_MASK
            night = np.floor(points[i].mjd + night_offset)
            if night == last_night[band]:
                reasons[i] = _SAME_NIGHT
            last_night[band] = night


@compiled
def _newest_episode(
    points: NDArray[np.void], reasons: NDArray[np.uint8], isolated_gap: float, episode_gap: float
) -> int:
    """Position of the point that opens the newest episode; -1 if no point is usable."""
    newest, before, is_alone = -1, -np.inf, False
    for i in range(len(points)):
        if reasons[i] == 0:
            gap = points[i].mjd - before
            is_alone = gap > episode_gap or (gap > isolated_gap and is_alone)
            before = points[i].mjd
            if is_alone:
                newest = i
    return newest


@cached_for(
    tuple_of(UINT8S, INT64S)(
        POINTS,
        INT64S,
        BOOLS,
        UINT8S,
        BOOL,
        BOOL,
        FLOAT64,
        FLOAT64,
        FLOAT64,
        FLOAT64,
    )
)
def select_points(
    points: NDArray[np.void],
    starts: NDArray[np.int64],
    takes_band: NDArray[np.bool_],
    code_of_kind: NDArray[np.uint8],
    positive_only: bool,
    one_per_band_and_night: bool,
    night_offset: float,
    isolated_gap: float,
    episode_gap: float,
    window: float,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the reason of every point, and the positions of those that count."""
    reason = np.empty(len(points), dtype=np.uint8)
    index = np.empty(len(points), dtype=np.int64)
    n_used = 0
    for c in range(len(starts) - 1):
        curve, codes = points[starts[c] : starts[c + 1]], reason[starts[c] : starts[c + 1]]
        night = one_per_band_and_night, night_offset
        _reasons(curve, takes_band, code_of_kind, positive_only, night[0], night[1], codes)
        newest = _newest_episode(curve, codes, isolated_gap, episode_gap)
        for i in range(len(curve)):
            if codes[i]:
                continue
            if i < newest:
                codes[i] = _BEFORE_EPISODE
            elif curve[i].mjd > curve[newest].mjd + window:
                codes[i] = _AFTER_WINDOW
            else:
                index[n_used] = starts[c] + i
                n_used += 1
    return reason, index[:n_used]
