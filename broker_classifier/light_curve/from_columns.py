"""Light curves from the columns of a table, each row of them checked."""

from __future__ import annotations  # `help` then says ArrayLike, and not all that it stands for

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_classifier.errors import LightCurveError
from broker_classifier.light_curve import columns
from broker_classifier.light_curve.curve import Kind, LightCurve, curve_from_arrays
from broker_classifier.light_curve.photometry import (
    flux_err_from_magnitude_err,
    flux_from_magnitude,
)

LARGEST_FLUX = float(np.finfo(np.float32).max)


def light_curve(
    mjd: ArrayLike,
    flux_njy: ArrayLike,
    flux_err_njy: ArrayLike,
    band: ArrayLike,
    kind: ArrayLike = Kind.DETECTION,
    is_withdrawn: ArrayLike = False,
) -> LightCurve:
    """Build the light curve of one object from columns, their rows in any order.

    A column is a list, an array, or a column of a pandas or astropy table; a scalar stands for a
    whole column. A unit that a column carries is converted. Of two rows with one time, band and
    kind, the one with the smaller error stays.

    Parameters
    ----------
    mjd : array-like, shape (n,)
        MJD in UTC (days), or an astropy `Time`.
    flux_njy : array-like, shape (n,)
        Difference fluxes, nJy (AB); NaN for upper limits.
    flux_err_njy : array-like, shape (n,)
        Their one-sigma errors, nJy; a fifth of the limit for upper limits.
    band : str or array-like of str, shape (n,)
        Letters of "ugrizy": "ggr", ["g", "g", "r"], or "g" for all rows.
    kind : array-like of `Kind`, shape (n,)
    is_withdrawn : array-like of bool, shape (n,)
        Points that the survey has taken back.

    Raises
    ------
    LightCurveError
        Names the column and the row, from 0, that is masked, missing or impossible; or the columns
        whose lengths differ.

    Examples
    --------
    >>> curve = light_curve([60001.0, 60000.0], [200.0, 100.0], 10.0, "rg")
    >>> curve.mjd.tolist(), curve.psf_flux.tolist()
    ([60000.0, 60001.0], [100.0, 200.0])

    A table is one call:

    >>> import pandas
    >>> table = pandas.DataFrame({"mjd": [60000.0, 60001.0], "flux": [90.0, 80.0], "band": "g"})
    >>> len(light_curve(table["mjd"], table["flux"], 10.0, table["band"]))
    2
    """
    rows = _rows(
        mjd=columns.times(mjd),
        flux_njy=columns.fluxes(flux_njy, "flux_njy"),
        flux_err_njy=columns.fluxes(flux_err_njy, "flux_err_njy"),
        band=columns.bands(band),
        kind=columns.kinds(kind),
        is_withdrawn=columns.flags(is_withdrawn, "is_withdrawn"),
    )
    return _checked_curve(**rows)


def light_curve_from_magnitudes(
    mjd: ArrayLike,
    mag: ArrayLike,
    mag_err: ArrayLike,
    band: ArrayLike,
    is_positive: ArrayLike = True,
) -> LightCurve:
    """Build the light curve of one object's detections from AB magnitudes of its differences.

    Errors are propagated to first order.

    Parameters
    ----------
    mjd, band
        As in `light_curve`.
    mag, mag_err : array-like, shape (n,)
        AB magnitudes and their one-sigma errors.
    is_positive : array-like of bool, shape (n,)
        Whether the source was brighter than in the reference image (ZTF's `isdiffpos`).

    Raises
    ------
    LightCurveError
        As `light_curve` does.

    Examples
    --------
    >>> curve = light_curve_from_magnitudes([60000.0, 60003.0], [20.0, 19.5], 0.1, "gr")
    >>> curve.psf_flux.round().tolist()
    [36308.0, 57544.0]
    """
    rows = _rows(
        mjd=columns.times(mjd),
        mag=columns.magnitudes(mag, "mag"),
        mag_err=columns.magnitudes(mag_err, "mag_err"),
        band=columns.bands(band),
        is_positive=columns.flags(is_positive, "is_positive"),
    )
    err = rows["mag_err"]
    columns.refuse(err <= 0, "mag_err", err, "is no error of a magnitude: it must be positive")
    flux = flux_from_magnitude(rows["mag"])
    return _checked_curve(
        mjd=rows["mjd"],
        flux_njy=np.where(rows["is_positive"], flux, -flux),
        flux_err_njy=flux_err_from_magnitude_err(flux, err),
        band=rows["band"],
    )


def _rows(**given: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Give every column a value for each row."""
    lengths = {name: len(values) for name, values in given.items() if values.ndim == 1}
    for name, values in given.items():
        if values.ndim > 1:
            msg = f"{name} has the shape {values.shape}: give one column"
            raise LightCurveError(msg)
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{n} rows of {name}" for name, n in lengths.items())
        msg = f"The columns differ in length, there are {counts}: give each row all its values"
        raise LightCurveError(msg)
    n_rows = next(iter(lengths.values()), 1)
    return {name: np.broadcast_to(values, n_rows) for name, values in given.items()}


def _checked_curve(
    mjd: NDArray[np.float64],
    flux_njy: NDArray[np.float64],
    flux_err_njy: NDArray[np.float64],
    band: NDArray[np.uint8],
    kind: ArrayLike = Kind.DETECTION,
    is_withdrawn: ArrayLike = False,
) -> LightCurve:
    """Build a light curve whose fluxes and errors are all possible."""
    is_limit = np.isnan(flux_njy) & (np.asarray(kind) == Kind.UPPER_LIMIT)
    is_flux = is_limit | (np.abs(flux_njy) <= LARGEST_FLUX)
    advice = "is no flux: leave the row out, or give Kind.UPPER_LIMIT as its kind"
    columns.refuse(~is_flux, "flux_njy", flux_njy, advice)
    is_error = (flux_err_njy > 0) & (flux_err_njy <= LARGEST_FLUX)
    advice = "is no error of a flux, which is positive: correct the row, or leave it out"
    columns.refuse(~is_error, "flux_err_njy", flux_err_njy, advice)
    return curve_from_arrays(mjd, flux_njy, flux_err_njy, band, kind, is_withdrawn)
