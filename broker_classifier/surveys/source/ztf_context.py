"""What ZTF's `candidate` says of its source, as contexts: its scores, and its catalogue matches."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import photometry
from broker_classifier.surveys.source.context import (
    Context,
    contexts,
    galactic_latitude,
    of_histories,
)
from broker_classifier.surveys.source.history import Histories

SAID = (
    "ra",
    "dec",
    "drb",
    "rb",
    "ssdistnr",
    "distpsnr1",
    "sgscore1",
    "srmag1",
    "szmag1",
    "neargaia",
    "maggaia",
    "distnr",
    "magnr",
    "jdstarthist",
    "ndethist",
    "ncovhist",
)
ARCSEC_PER_PIXEL = 1.01
SAME_PLACE_ARCSEC = 1.5  # within which ZTF takes detections for one object
NAMELESS = ("", "null")
_SCORES = np.array(["drb", "rb", None], dtype=object)


def ztf_contexts(
    said: Mapping[str, NDArray[np.float64]], ssnamenr: Sequence[str], past: Histories
) -> list[Context]:
    """Make the contexts of n alerts.

    Parameters
    ----------
    said : mapping of str to float64 array, shape (n,)
        The fields of `SAID`; NaN where missing.
    ssnamenr : sequence of str
    past : Histories
        Of the alerts' light curves.
    """
    # Packets before 3.3 have a `drb` of exactly 0: it was not computed.
    drb = np.where(said["drb"] == 0.0, np.nan, said["drb"])
    has_drb, has_rb = np.isfinite(drb), np.isfinite(said["rb"])
    with np.errstate(over="ignore", invalid="ignore"):
        is_here = said["distnr"] * ARCSEC_PER_PIXEL <= SAME_PLACE_ARCSEC
        template = np.where(is_here, photometry.flux_from_magnitude(said["magnr"]), np.nan)
        started = photometry.mjd_from_jd(said["jdstarthist"])
    numbers, counts = of_histories(past, template)
    return contexts(
        len(ssnamenr),
        numbers
        | {
            "reliability": np.where(has_drb, drb, said["rb"]),
            "solar_system_arcsec": said["ssdistnr"],
            "catalogue_arcsec": said["distpsnr1"],
            "star_score": said["sgscore1"],
            "catalogue_magnitude": said["srmag1"],
            "catalogue_colour": said["srmag1"] - said["szmag1"],
            "gaia_arcsec": said["neargaia"],
            "gaia_magnitude": said["maggaia"],
            "template_flux": template,
            "first_detection_mjd": np.fmin(started, past.first_mjd),
            "galactic_latitude": galactic_latitude(said["ra"], said["dec"]),
        },
        counts
        | {
            "n_detections": np.fmax(said["ndethist"], past.n_detections),
            "n_visits": said["ncovhist"],
        },
        {
            "reliability_score": _SCORES[np.where(has_drb, 0, np.where(has_rb, 1, 2))].tolist(),
            "solar_system_name": [None if name in NAMELESS else name for name in ssnamenr],
        },
    )
