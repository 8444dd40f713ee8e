"""What a packet says of its source beside the light curve, in one form for all surveys."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from broker_classifier.surveys.source.history import Histories

_DECIMALS = 7  # of a score, an angle, a magnitude, a flux; and of a time, as everywhere
_POLE_RA, _POLE_DEC = np.radians([192.85948, 27.12825])  # of the Galaxy, J2000


class Context(NamedTuple):
    """What a packet says of its source; None where it says nothing.

    Attributes
    ----------
    reliability : float
        Real-bogus score of the detection, 0 (bogus) to 1 (real).
    reliability_score : str
        Which score that is: "drb" or "rb" of ZTF, "reliability" of LSST.
    is_dipole : bool
        Whether the survey fitted the detection well by a positive and a negative source.
    solar_system_arcsec : float
        Distance from the nearest known solar-system object.
    solar_system_name : str
        Its name or number.
    catalogue_arcsec : float
        Distance from the nearest source of the survey's catalogue (ZTF: Pan-STARRS).
    star_score : float
        How star-like that source is, 0 (galaxy) to 1 (star); .5 where that is not known.
    catalogue_magnitude : float
        Its r magnitude, AB.
    catalogue_colour : float
        Its r minus z.
    gaia_arcsec : float
        Distance from the nearest source of Gaia.
    gaia_magnitude : float
        Its G magnitude.
    template_flux : float
        Flux of a point source at this place in the template, nJy (AB).
    science_flux : float
        The same in the new image.
    extendedness : float
        Of the detection in the difference image, 0 (point) to 1.
    first_detection_mjd : float
        When the survey first detected something here, MJD in UTC; as far as the alert tells.
    n_detections : int
        How often the survey has detected something here; as far as the alert tells.
    n_visits : int
        How often the survey has looked.
    n_negative : int
        Detections in the alert's light curve at which the source was fainter than the template.
    negative_share : float
        How much fainter, in the mean, as a share of `template_flux`.
    n_sign_changes : int
        See `history.Histories`.
    n_nights_of_each_sign : int
        See `history.Histories`.
    galactic_latitude : float
        Degrees.
    sherlock_class : str
        Lasair's class of what is catalogued here: "SN", "NT", "AGN", "VS", "BS", "CV", ...
    """

    reliability: float | None = None
    reliability_score: str | None = None
    is_dipole: bool | None = None
    solar_system_arcsec: float | None = None
    solar_system_name: str | None = None
    catalogue_arcsec: float | None = None
    star_score: float | None = None
    catalogue_magnitude: float | None = None
    catalogue_colour: float | None = None
    gaia_arcsec: float | None = None
    gaia_magnitude: float | None = None
    template_flux: float | None = None
    science_flux: float | None = None
    extendedness: float | None = None
    first_detection_mjd: float | None = None
    n_detections: int | None = None
    n_visits: int | None = None
    n_negative: int | None = None
    negative_share: float | None = None
    n_sign_changes: int | None = None
    n_nights_of_each_sign: int | None = None
    galactic_latitude: float | None = None
    sherlock_class: str | None = None


NOTHING_SAID = Context()
Numbers = NDArray[np.float64]


def contexts(
    n: int,
    numbers: Mapping[str, Numbers],
    counts: Mapping[str, Numbers],
    others: Mapping[str, Sequence[Any]],
) -> list[Context]:
    """Make the contexts of n alerts from columns of these names; NaN is what is missing.

    >>> first, second = contexts(2, {"star_score": np.array([0.9, np.nan])}, {}, {})
    >>> first.star_score, second == NOTHING_SAID
    (0.9, True)
    """
    columns: dict[str, Sequence[Any]] = dict.fromkeys(Context._fields, [None] * n)
    columns |= others
    rounded = np.round(list(numbers.values()), _DECIMALS)
    columns |= zip(numbers, or_none(rounded), strict=True)
    columns |= zip(counts, or_none(list(counts.values()), np.int64), strict=True)
    return list(map(Context, *columns.values()))


def or_none(columns: ArrayLike, dtype: DTypeLike = np.float64) -> list[list[Any]]:
    """Make lists of columns of numbers, with None for what is not finite.

    >>> or_none([[1.5, np.nan], [2.0, 3.0]])
    [[1.5, None], [2.0, 3.0]]
    """
    table = np.asarray(columns, dtype=np.float64)
    is_number = np.isfinite(table)
    cells = np.where(is_number, table, 0.0).astype(dtype).astype(object)
    cells[~is_number] = None
    lists: list[list[Any]] = cells.tolist()
    return lists


def of_histories(
    past: Histories, template_flux: Numbers
) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
    """Give the numbers and the counts that a context has of its light curve's detections."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(template_flux > 0.0, past.negative_flux / template_flux, np.nan)
    counts = {
        "n_negative": past.n_negative,
        "n_sign_changes": past.n_sign_changes,
        "n_nights_of_each_sign": past.n_nights_of_each_sign,
    }
    return {"negative_share": share}, counts


def galactic_latitude(ra: Numbers, dec: Numbers) -> Numbers:
    """Convert J2000 coordinates (degrees) to galactic latitude (degrees).

    >>> galactic_latitude(np.array([192.85948, 0.0]), np.array([27.12825, 0.0])).round(1).tolist()
    [90.0, -60.2]
    """
    ra, dec = np.radians(ra), np.radians(dec)
    from_pole = np.cos(dec) * np.cos(_POLE_DEC) * np.cos(ra - _POLE_RA)
    sine = np.sin(dec) * np.sin(_POLE_DEC) + from_pole
    latitude: Numbers = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return latitude
