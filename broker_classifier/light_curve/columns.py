"""Columns as people have them: lists, arrays, columns of pandas and astropy, with masks and units.

Each reader gives an array of shape (n,), or () for a scalar. What it cannot read it refuses, and
names the column and the row.
"""

from collections.abc import Callable
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import LightCurveError
from broker_classifier.light_curve.curve import BANDS, Kind

MJD_0_AS_JULIAN_DATE = 2400000.5


def times(given: Any) -> NDArray[np.float64]:
    """Read times: MJD in UTC (days), or an astropy `Time` of any scale."""
    is_masked = _mask(given)
    if hasattr(given, "utc") and hasattr(given, "mjd"):
        given = given.utc.mjd
    mjd = _numbers(_in_unit(given, "d", "mjd"), is_masked, "mjd")
    refuse(~np.isfinite(mjd), "mjd", mjd, "is no time: leave the row out")
    advice = f"is no MJD: subtract {MJD_0_AS_JULIAN_DATE} from a Julian date"
    refuse(mjd >= MJD_0_AS_JULIAN_DATE, "mjd", mjd, advice)
    return mjd


def fluxes(given: Any, column: str) -> NDArray[np.float64]:
    """Read fluxes or their errors in nJy; NaN where one is missing."""
    if _unit(given).startswith("mag"):
        msg = f"{column} has magnitudes: build the light curve with `light_curve_from_magnitudes`"
        raise LightCurveError(msg)
    return _numbers(_in_unit(given, "nJy", column), _mask(given), column)


def magnitudes(given: Any, column: str) -> NDArray[np.float64]:
    """Read AB magnitudes or their errors."""
    if _unit(given) not in ("", "mag", "mag(AB)"):  # as astropy writes them
        msg = f"{column} is in {_unit(given)}: convert it to AB magnitudes"
        raise LightCurveError(msg)
    values = _numbers(given, _mask(given), column)
    refuse(~np.isfinite(values), column, values, "is no magnitude: leave the row out")
    return values


def bands(given: Any) -> NDArray[np.uint8]:
    """Read band letters, in one string or one by one, as indices into `BANDS`."""
    letters = list(given) if isinstance(given, str) and len(given) != 1 else given
    advice = f"is no band: give one of {', '.join(BANDS)} for each row, or one for all"
    objects = _checked(letters, "band", lambda letter: _band_index(letter) >= 0, advice)
    indices = [_band_index(letter) for letter in objects.ravel().tolist()]
    return np.array(indices, dtype=np.uint8).reshape(objects.shape)


def kinds(given: Any) -> NDArray[np.uint8]:
    """Read values of `Kind`."""
    advice = "is no `Kind`: give Kind.DETECTION, Kind.UPPER_LIMIT or Kind.FORCED"
    return _checked(given, "kind", lambda kind: _is_integer_of(kind, Kind), advice).astype(np.uint8)


def flags(given: Any, column: str) -> NDArray[np.bool_]:
    """Read True or False, or 1 or 0."""
    advice = "is neither True nor False"
    objects = _checked(given, column, lambda flag: _is_integer_of(flag, (False, True)), advice)
    return objects.astype(bool)


def refuse(is_bad: NDArray[np.bool_], column: str, values: NDArray[Any], why: str) -> None:
    """Raise a `LightCurveError` for the first row that is bad, if any is."""
    rows = np.flatnonzero(is_bad)
    if len(rows):
        value = values.ravel()[rows[0]]
        value = value if isinstance(value, SupportsFloat) else repr(value)
        place = f"{column}, row {rows[0]} (the first is 0)" if np.ndim(is_bad) else column
        msg = f"{place}: {value} {why}"
        raise LightCurveError(msg)


def _numbers(given: Any, is_masked: NDArray[np.bool_], column: str) -> NDArray[np.float64]:
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        _checked(given, column, _is_number, "is no number")
        msg = f"{column} is no column of numbers"
        raise LightCurveError(msg) from error
    return np.where(is_masked, np.nan, values)


def _checked(
    given: Any, column: str, is_good: Callable[[Any], bool], why: str
) -> NDArray[np.object_]:
    """Read a column of any objects, and refuse it if one is bad or masked."""
    objects: NDArray[np.object_] = np.array(given, dtype=object)
    objects[_mask(given)] = None
    is_bad = [not is_good(value) for value in objects.ravel().tolist()]
    refuse(np.array(is_bad, dtype=bool).reshape(objects.shape), column, objects, why)
    return objects


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_integer_of(value: Any, among: Any) -> bool:
    return isinstance(value, int | np.integer | np.bool_) and value in tuple(among)


def _band_index(letter: Any) -> int:
    """Find a band letter, be it padded or bytes as in FITS files; -1 for anything else."""
    text = letter.decode(errors="replace") if isinstance(letter, bytes) else letter
    name = text.strip() if isinstance(text, str) else ""
    return BANDS.find(name) if len(name) == 1 else -1


def _unit(given: Any) -> str:
    """Name the unit of a column or quantity of astropy; "" without one."""
    unit = getattr(given, "unit", None)
    return str(unit) if unit is not None and hasattr(given, "to") else ""


def _in_unit(given: Any, unit: str, column: str) -> Any:
    if not _unit(given):
        return given
    try:
        return given.to(unit)
    except (TypeError, ValueError) as error:  # what astropy's UnitConversionError is
        msg = f"{column} is in {_unit(given)}, and cannot be converted to {unit}"
        raise LightCurveError(msg) from error


def _mask(given: Any) -> NDArray[np.bool_]:
    """Say which rows are masked; a `mask` that is a method is not a mask, it is pandas's."""
    mask = getattr(given, "mask", False)
    return np.asarray(False if callable(mask) else mask, dtype=bool)
