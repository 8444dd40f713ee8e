"""The compiled part of `prefix_features`: three blocks of a row, each written by one function.

Times t are days since the first point; y = ln(flux), and a flux is at least its error; slopes are
of y, per day. What is not known stays NaN, as the row comes.
"""

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import compiled
from broker_classifier.light_curve import BAND_MASK

WHOLE = (
    *("n", "nights", "age", "silence", "since_peak", "first", "last", "peak", "decline", "rise"),
    *("snr_first", "snr_last", "snr_max", "snr_mean", "night_gap", "longest_gap", "step"),
    *("per_day", "scatter", "slope", "first_band"),
)
PER_BAND = (
    *("n", "first_day", "gap", "span", "peak_day", "since_peak", "first", "last", "peak", "mean"),
    *("decline", "rise", "snr_peak", "snr_last", "slope_rise", "slope_fall", "slope_10"),
    *("slope_25", "slope_early", "misfit", "half_width", "steepest_rise", "steepest_fall"),
    *("before_10", "before_5", "after_7", "after_15", "after_30", "after_60", "scatter"),
)
PER_COLOUR = (
    *("first", "last", "mean", "at_peak", "slope", "bluest", "reddest", "late", "of_peaks"),
    *("carried", "change", "day_10", "day_20", "day_40", "lag_first", "lag_peak", "slope_rise"),
    *("slope_fall", "slope_25", "slope_10"),
)
PHASES = (-10.0, -5.0, 7.0, 15.0, 30.0, 60.0)
COLOUR_DAYS = (10.0, 20.0, 40.0)
COMMON_DAYS = 4.0  # a colour needs both bands within this time
LATE_DAYS = 10.0
SAME_NIGHT_DAYS = 0.3
LN_HALF = float(np.log(0.5))

# Columns of a band that its colours look at, too.
(
    _N,
    _FIRST_DAY,
    _GAP,
    _SPAN,
    _PEAK_DAY,
    _SINCE_PEAK,
    _FIRST,
    _LAST,
    _PEAK,
    _MEAN,
    _DECLINE,
    _RISE,
    _SNR_PEAK,
    _SNR_LAST,
    _SLOPE_RISE,
    _SLOPE_FALL,
    _SLOPE_10,
    _SLOPE_25,
    _SLOPE_EARLY,
    _MISFIT,
    _HALF_WIDTH,
    _STEEPEST_RISE,
    _STEEPEST_FALL,
    _PHASES,
) = range(24)
_SCATTER = _PHASES + len(PHASES)

Floats = NDArray[np.float64]
Row = NDArray[np.float32]


@compiled
def _line(t: Floats, y: Floats, weight: Floats) -> tuple[float, float, float]:
    """Fit a weighted line: its slope, and the means of t and y; NaN if the time is too short."""
    if len(t) < 2 or t[-1] - t[0] < SAME_NIGHT_DAYS:
        return np.nan, np.nan, np.nan
    total, mean_t, mean_y = 0.0, 0.0, 0.0
    for i in range(len(t)):
        total += weight[i]
        mean_t += weight[i] * t[i]
        mean_y += weight[i] * y[i]
    mean_t, mean_y = mean_t / total, mean_y / total
    above, below = 0.0, 0.0
    for i in range(len(t)):
        above += weight[i] * (t[i] - mean_t) * (y[i] - mean_y)
        below += weight[i] * (t[i] - mean_t) ** 2
    return above / below, mean_t, mean_y


@compiled
def _slope(t: Floats, y: Floats, weight: Floats) -> float:
    return _line(t, y, weight)[0]


@compiled
def _value_at(t: Floats, y: Floats, when: float) -> float:
    """Interpolate linearly; NaN before the first and after the last point."""
    if len(t) == 0 or when < t[0] or when > t[-1]:
        return np.nan
    i = np.searchsorted(t, when)
    if t[i] == when:
        return float(y[i])
    return float(y[i - 1] + (y[i] - y[i - 1]) * (when - t[i - 1]) / (t[i] - t[i - 1]))


@compiled
def _mean_and_scatter(y: Floats) -> tuple[float, float]:
    mean, square = 0.0, 0.0
    for i in range(len(y)):
        mean += y[i]
    mean /= len(y)
    for i in range(len(y)):
        square += (y[i] - mean) ** 2
    return mean, np.sqrt(square / len(y))


@compiled
def read_points(
    curve: NDArray[np.void],
    position_of_band: NDArray[np.int64],
    least_error: float,
    whole: Floats,
    of_band: Floats,
    count: NDArray[np.int64],
) -> None:
    """Fill in t, y, snr of all points, and t, y, weight, snr of the `count` points of each band."""
    count[:] = 0
    for i in range(len(curve)):
        point = curve[i]
        err = np.float64(point.psf_flux_err)
        flux = max(np.float64(point.psf_flux), err)
        t, y, snr = point.mjd - curve[0].mjd, np.log(flux), flux / err
        whole[0, i], whole[1, i], whole[2, i] = t, y, snr
        b = position_of_band[point.flags & BAND_MASK]
        band, j = of_band[b], count[b]
        band[0, j], band[1, j], band[3, j] = t, y, snr
        band[2, j] = 1.0 / ((1.0 / snr) ** 2 + least_error**2)
        count[b] += 1


@compiled
def write_whole(
    t: Floats, y: Floats, snr: Floats, first_band: int, silence: float, row: Row
) -> None:
    """Write the features `WHOLE` of all points; `silence` is the time since the last, in days."""
    n, age, peak = len(t), t[-1], np.argmax(y)
    nights, longest_gap, snr_mean = 1, 0.0, 0.0
    for i in range(n):
        snr_mean += np.log(snr[i]) / n
        if i and t[i] - t[i - 1] > SAME_NIGHT_DAYS:
            nights += 1
            longest_gap = max(longest_gap, t[i] - t[i - 1])
    row[0], row[1], row[2], row[3], row[4] = n, nights, age, silence, age - t[peak]
    row[5], row[6], row[7], row[8], row[9] = y[0], y[-1], y[peak], y[-1] - y[peak], y[peak] - y[0]
    row[10], row[11], row[12], row[13] = snr[0], snr[-1], np.max(snr), snr_mean
    if nights > 1:
        row[14], row[15] = age / (nights - 1), longest_gap
    if n > 1:
        row[16] = age - t[-2]
    row[17], row[18] = n / (age + 1.0), _mean_and_scatter(y)[1]
    row[19], row[20] = _slope(t, y, np.ones(n)), first_band


@compiled
def write_band(t: Floats, y: Floats, weight: Floats, snr: Floats, now: float, row: Row) -> None:
    """Write the features `PER_BAND` of one band's points; `now` is the last point of any band."""
    n = len(t)
    row[_N] = n
    if n == 0:
        return
    peak = np.argmax(y)
    row[_FIRST_DAY], row[_GAP], row[_SPAN] = t[0], now - t[-1], t[-1] - t[0]
    row[_PEAK_DAY], row[_SINCE_PEAK] = t[peak] - t[0], now - t[peak]
    row[_FIRST], row[_LAST], row[_PEAK] = y[0], y[-1], y[peak]
    row[_MEAN], row[_SCATTER] = _mean_and_scatter(y)
    row[_DECLINE], row[_RISE] = y[-1] - y[peak], y[peak] - y[0]
    row[_SNR_PEAK], row[_SNR_LAST] = snr[peak], snr[-1]
    for place, a, b in (
        (_SLOPE_RISE, 0, peak + 1),
        (_SLOPE_FALL, peak, n),
        (_SLOPE_10, np.searchsorted(t, t[-1] - 10.0), n),
        (_SLOPE_25, np.searchsorted(t, t[-1] - 25.0), n),
        (_SLOPE_EARLY, 0, np.searchsorted(t, t[0] + 10.0)),
    ):
        row[place] = _slope(t[a:b], y[a:b], weight[a:b])
    row[_MISFIT], row[_HALF_WIDTH] = _misfit(t, y, weight), _half_width(t, y, int(peak))
    _write_steepest(t, y, row)
    for i in range(len(PHASES)):
        row[_PHASES + i] = _value_at(t, y, t[peak] + PHASES[i]) - y[peak]


@compiled
def _misfit(t: Floats, y: Floats, weight: Floats) -> float:
    """Give ln of the reduced chi square of a line through all points."""
    slope, mean_t, mean_y = _line(t, y, weight)
    if len(t) < 3 or np.isnan(slope):
        return np.nan
    chi_square = 0.0
    for i in range(len(t)):
        chi_square += weight[i] * (y[i] - mean_y - slope * (t[i] - mean_t)) ** 2
    return float(np.log(chi_square / (len(t) - 2) + 1e-3))


@compiled
def _half_width(t: Floats, y: Floats, peak: int) -> float:
    """Give the time around the peak for which every point is above half of its flux."""
    first = last = peak
    while first > 0 and y[first - 1] >= y[peak] + LN_HALF:
        first -= 1
    while last + 1 < len(t) and y[last + 1] >= y[peak] + LN_HALF:
        last += 1
    return float(t[last] - t[first])


@compiled
def _write_steepest(t: Floats, y: Floats, row: Row) -> None:
    """Write the steepest rise and fall between neighbouring points of different nights."""
    rise, fall = -np.inf, np.inf
    for i in range(1, len(t)):
        if t[i] - t[i - 1] > SAME_NIGHT_DAYS:
            slope = (y[i] - y[i - 1]) / (t[i] - t[i - 1])
            rise, fall = max(rise, slope), min(fall, slope)
    if rise > -np.inf:
        row[_STEEPEST_RISE], row[_STEEPEST_FALL] = rise, fall


@compiled
def write_colour(
    blue_t: Floats, blue_y: Floats, red_t: Floats, red_y: Floats, blue: Row, red: Row, row: Row
) -> None:
    """Write the features `PER_COLOUR` of two neighbouring bands, whose own are in blue and red."""
    if len(blue_t) == 0 or len(red_t) == 0:
        return
    row[8], row[9] = blue[_PEAK] - red[_PEAK], blue_y[-1] - red_y[-1]
    peak_day = blue_t[0] + blue[_PEAK_DAY]
    row[14], row[15] = blue_t[0] - red_t[0], peak_day - red_t[0] - red[_PEAK_DAY]
    row[16], row[17] = blue[_SLOPE_RISE] - red[_SLOPE_RISE], blue[_SLOPE_FALL] - red[_SLOPE_FALL]
    row[18], row[19] = blue[_SLOPE_25] - red[_SLOPE_25], blue[_SLOPE_10] - red[_SLOPE_10]
    t, colour = _common(blue_t, blue_y, red_t, red_y)
    if len(t) == 0:
        return
    peak = np.argmin(np.abs(t - peak_day))
    row[0], row[1], row[2], row[3] = colour[0], colour[-1], np.mean(colour), colour[peak]
    row[4], row[5], row[6] = _slope(t, colour, np.ones(len(t))), np.max(colour), np.min(colour)
    late = np.searchsorted(t, t[peak] + LATE_DAYS)
    if late < len(t):
        row[7] = np.mean(colour[late:])
    row[10] = colour[-1] - colour[0]
    for i in range(len(COLOUR_DAYS)):
        row[11 + i] = _value_at(t, colour, t[0] + COLOUR_DAYS[i])


@compiled
def _common(blue_t: Floats, blue_y: Floats, red_t: Floats, red_y: Floats) -> tuple[Floats, Floats]:
    """Give the colours at the blue points that have a red one near, the red one interpolated."""
    t, colour, n, j = np.empty(len(blue_t)), np.empty(len(blue_t)), 0, 0
    for i in range(len(blue_t)):
        while j < len(red_t) and red_t[j] < blue_t[i]:
            j += 1
        after = red_t[j] - blue_t[i] if j < len(red_t) else np.inf
        before = blue_t[i] - red_t[j - 1] if j > 0 else np.inf
        if min(after, before) > COMMON_DAYS:
            continue
        if j == len(red_t):
            red = red_y[-1]
        elif j == 0:
            red = red_y[0]
        else:
            red = red_y[j - 1] + (red_y[j] - red_y[j - 1]) * before / (before + after)
        t[n], colour[n] = blue_t[i], blue_y[i] - red
        n += 1
    return t[:n], colour[:n]
