"""What an LSST alert says of its source, as contexts; it matches no catalogue but its template."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve.photometry import mjd_from_tai
from broker_classifier.surveys.source.context import (
    Context,
    contexts,
    galactic_latitude,
    of_histories,
)
from broker_classifier.surveys.source.history import Histories

SAID = {
    "ra": "diaSource.ra",
    "dec": "diaSource.{dec}",
    "reliability": "diaSource.reliability",
    "is_dipole": "diaSource.isDipole",
    "template_flux": "diaSource.templateFlux",
    "science_flux": "diaSource.scienceFlux",
    "extendedness": "diaSource.extendedness",
    "first_mjd_tai": "diaObject.firstDiaSourceMjdTai",
    "n_sources": "diaObject.nDiaSources",
    "ephemeris_arcsec": "ssSource.ephOffset",
}
"""Where each number stands; {dec} is the survey's spelling of the declination."""

_SCORES = np.array([None, "reliability"], dtype=object)
_YES_OR_NO = np.array([False, True, None], dtype=object)


def diasource_contexts(
    said: Mapping[str, NDArray[np.float64]],
    ss_object_id: NDArray[np.int64],
    designation: Sequence[str],
    past: Histories,
) -> list[Context]:
    """Make the contexts of n alerts.

    Parameters
    ----------
    said : mapping of str to float64 array, shape (n,)
        The numbers of `SAID`; NaN where missing.
    ss_object_id : int64 array, shape (n,)
        Of the solar-system object that the source was associated with; 0 for none.
    designation : sequence of str
        Of that object.
    past : Histories
        Of the alerts' light curves.
    """
    numbers, counts = of_histories(past, said["template_flux"])
    first_mjd = np.where(said["first_mjd_tai"] > 0.0, said["first_mjd_tai"], np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        numbers |= {name: said[name] for name in ("reliability", "template_flux", "science_flux")}
        numbers |= {
            "extendedness": said["extendedness"],
            "solar_system_arcsec": np.where(ss_object_id != 0, said["ephemeris_arcsec"], np.nan),
            "first_detection_mjd": np.fmin(mjd_from_tai(first_mjd), past.first_mjd),
            "galactic_latitude": galactic_latitude(said["ra"], said["dec"]),
        }
    counts["n_detections"] = np.fmax(said["n_sources"], past.n_detections)
    has_score = np.isfinite(said["reliability"])
    is_dipole = np.where(np.isfinite(said["is_dipole"]), said["is_dipole"] > 0.0, 2)
    ids = zip(ss_object_id.tolist(), designation, strict=True)
    return contexts(
        len(designation),
        numbers,
        counts,
        {
            "reliability_score": _SCORES[has_score.astype(int)].tolist(),
            "is_dipole": _YES_OR_NO[is_dipole].tolist(),
            "solar_system_name": [
                (name or str(number)) if number else None for number, name in ids
            ],
        },
    )
