"""Conversions to the units used past `surveys/`, AB flux in nJy and MJD; one function each.

A magnitude of 23.9 is 1 µJy = 1000 nJy, so the AB zero point for nJy is 31.4 (Oke & Gunn 1983).
They take numbers and arrays alike.
"""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

AB_ZERO_POINT_NJY = 31.4
NJY_PER_MICROJY = 1000.0
SNANA_ZERO_POINT = 27.5  # AB magnitude of a flux of 1 in SNANA's simulations
MAG_ERR_TO_RELATIVE_FLUX_ERR = math.log(10.0) / 2.5
MJD_OFFSET_DAYS = 2400000.5
UNIX_EPOCH_MJD = 40587.0
SECONDS_PER_DAY = 86400.0
TAI_MINUS_UTC_S = 37.0  # since 2017, before the first alert of LSST (IERS Bulletin C)

Floats = TypeVar("Floats", float, NDArray[np.float64])
_ROUND = 1.5 * 2.0**52  # added and taken away, it rounds to integers, half to even


def mjd_from_jd(jd: Floats) -> Floats:
    """Convert a Julian date (days) to a modified Julian date, rounded to 1e-7 d.

    The rounding (9 ms) removes the noise of the subtraction, so that one exposure has one time
    whichever packet it is read from. Days and fraction are rounded apart, which is exact.

    >>> mjd_from_jd(2459396.9046875)
    59396.4046875
    """
    return _rounded(jd - MJD_OFFSET_DAYS)


def mjd_from_tai(mjd_tai: Floats) -> Floats:
    """Convert an MJD in TAI to one in UTC, rounded to 1e-7 d.

    >>> mjd_from_tai(60000.5), mjd_from_tai(57754.0 + 37.0 / 86400.0)
    (60000.4995718, 57754.0)
    """
    return _rounded(mjd_tai - TAI_MINUS_UTC_S / SECONDS_PER_DAY)


def _rounded(mjd: Floats) -> Floats:
    days = mjd // 1.0
    ten_millionths = (mjd - days) * 1e7 + _ROUND - _ROUND
    return (days * 1e7 + ten_millionths) / 1e7


def unix_from_mjd(mjd: float) -> float:
    """Convert an MJD in UTC to Unix seconds.

    >>> unix_from_mjd(40587.5)
    43200.0
    """
    return (mjd - UNIX_EPOCH_MJD) * SECONDS_PER_DAY


def mjd_from_unix(unix_s: float) -> float:
    """Convert seconds since 1970-01-01 00:00 UTC to a time, MJD in UTC (days).

    >>> mjd_from_unix(43200.0)
    40587.5
    """
    return UNIX_EPOCH_MJD + unix_s / SECONDS_PER_DAY


def flux_from_magnitude(magnitude: Floats) -> Floats:
    """Convert an AB magnitude to a flux in nJy.

    >>> flux_from_magnitude(23.9)
    1000.0
    >>> round(flux_from_magnitude(20.0), 1)
    36307.8
    """
    flux: Floats = 10.0 ** ((AB_ZERO_POINT_NJY - magnitude) / 2.5)
    return flux


SNANA_FLUX_UNIT_NJY = flux_from_magnitude(SNANA_ZERO_POINT)


def magnitude_from_flux(flux_njy: float) -> float:
    """Convert a positive flux in nJy to an AB magnitude; not defined (NaN) for others.

    >>> round(magnitude_from_flux(1000.0), 6)
    23.9
    >>> magnitude_from_flux(-5.0)
    nan
    """
    return AB_ZERO_POINT_NJY - 2.5 * math.log10(flux_njy) if flux_njy > 0 else math.nan


def flux_err_from_magnitude_err(flux_njy: Floats, magnitude_err: Floats) -> Floats:
    """Convert a magnitude error to the flux error (nJy) of a point with this flux, to first order.

    >>> round(flux_err_from_magnitude_err(1000.0, 0.1), 3)
    92.103
    """
    return abs(flux_njy) * magnitude_err * MAG_ERR_TO_RELATIVE_FLUX_ERR


def flux_from_counts(counts_dn: Floats, zero_point: Floats) -> Floats:
    """Convert difference-image counts (DN) with their AB magnitude zero point to nJy.

    Linear, so it serves for errors too. ZTF forced photometry gives both
    (`forcediffimflux`, `magzpsci`; ZTF alert schema 4.01, `fp_hist`).

    >>> flux_from_counts(1.0, 31.4)
    1.0
    >>> round(flux_from_counts(100.0, 26.275), 1)
    11220.2
    """
    return counts_dn * flux_from_magnitude(zero_point)
