"""Conversions to the units used past `surveys/`, AB flux in nJy and MJD; one function each.

A magnitude of 23.9 is 1 µJy = 1000 nJy, so the AB zero point for nJy is 31.4 (Oke & Gunn 1983).
"""

import math

AB_ZERO_POINT_NJY = 31.4
MAG_ERR_TO_RELATIVE_FLUX_ERR = math.log(10.0) / 2.5
MJD_OFFSET_DAYS = 2400000.5


def mjd_from_jd(jd: float) -> float:
    """Convert a Julian date (days) to a modified Julian date, rounded to 1e-7 d.

    The rounding (9 ms) removes the noise of the subtraction, so that one exposure has one time
    whichever packet it is read from.

    >>> mjd_from_jd(2459396.9046875)
    59396.4046875
    """
    return round(jd - MJD_OFFSET_DAYS, 7)


def flux_from_magnitude(magnitude: float) -> float:
    """Convert an AB magnitude to a flux in nJy.

    >>> flux_from_magnitude(23.9)
    1000.0
    >>> round(flux_from_magnitude(20.0), 1)
    36307.8
    """
    return float(10.0 ** ((AB_ZERO_POINT_NJY - magnitude) / 2.5))


def magnitude_from_flux(flux_njy: float) -> float:
    """Convert a positive flux in nJy to an AB magnitude; not defined (NaN) for others.

    >>> round(magnitude_from_flux(1000.0), 6)
    23.9
    >>> magnitude_from_flux(-5.0)
    nan
    """
    return AB_ZERO_POINT_NJY - 2.5 * math.log10(flux_njy) if flux_njy > 0 else math.nan


def flux_err_from_magnitude_err(flux_njy: float, magnitude_err: float) -> float:
    """Convert a magnitude error to the flux error (nJy) of a point with this flux, to first order.

    >>> round(flux_err_from_magnitude_err(1000.0, 0.1), 3)
    92.103
    """
    return abs(flux_njy) * magnitude_err * MAG_ERR_TO_RELATIVE_FLUX_ERR


def flux_from_counts(counts_dn: float, zero_point: float) -> float:
    """Convert difference-image counts (DN) with their AB magnitude zero point to nJy.

    Linear, so it serves for errors too. ZTF forced photometry gives both
    (`forcediffimflux`, `magzpsci`; ZTF alert schema 4.01, `fp_hist`).

    >>> flux_from_counts(1.0, 31.4)
    1.0
    >>> round(flux_from_counts(100.0, 26.275), 1)
    11220.2
    """
    return counts_dn * flux_from_magnitude(zero_point)
