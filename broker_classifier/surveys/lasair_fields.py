"""Which fields of the surveys Lasair's JSON may hold, and between what their values must lie."""

from broker_classifier.light_curve.photometry import MJD_OFFSET_DAYS
from broker_classifier.surveys.loose_json import MAX_NUMBER

MAX_MJD = 1e6
Limits = dict[str, tuple[float, float]]
_ANY = (-MAX_NUMBER, MAX_NUMBER)
_PLACE: Limits = {"ra": (0.0, 360.0), "dec": (-90.0, 90.0), "decl": (-90.0, 90.0)}
_MAGNITUDES = (-50.0, 100.0)
_COUNTS = (-1e15, 1e15)
_JD = (MJD_OFFSET_DAYS, MJD_OFFSET_DAYS + MAX_MJD)
_SCORE, _ARCSEC, _NUMBER_OF = (0.0, 1.0), (0.0, 3600.0), (0.0, 1e9)
LSST_SAID: Limits = {
    "reliability": _SCORE,
    "templateFlux": _ANY,
    "scienceFlux": _ANY,
    "extendedness": _SCORE,
}
LSST_SAID_OF_OBJECT: Limits = {"firstDiaSourceMjdTai": (0.0, MAX_MJD), "nDiaSources": _NUMBER_OF}
LSST_NUMBERS: Limits = (
    _PLACE
    | LSST_SAID
    | {
        "midpointMjdTai": (0.0, MAX_MJD),
        "psfFlux": _ANY,
        "psfFluxErr": _ANY,
        "timeWithdrawnMjdTai": _ANY,
    }
)
ZTF_SAID: Limits = {
    "drb": _SCORE,
    "rb": _SCORE,
    "ssdistnr": _ARCSEC,
    "distpsnr1": _ARCSEC,
    "sgscore1": _SCORE,
    "srmag1": _MAGNITUDES,
    "szmag1": _MAGNITUDES,
    "neargaia": _ARCSEC,
    "maggaia": _MAGNITUDES,
    "distnr": _ARCSEC,
    "magnr": _MAGNITUDES,
    "jdstarthist": _JD,
    "ndethist": _NUMBER_OF,
    "ncovhist": _NUMBER_OF,
}
ZTF_NUMBERS: Limits = (
    _PLACE
    | ZTF_SAID
    | {
        "jd": _JD,
        "fid": (1.0, 3.0),
        "magpsf": _MAGNITUDES,
        "sigmapsf": _MAGNITUDES,
        "diffmaglim": _MAGNITUDES,
        "magzpsci": _MAGNITUDES,
        "forcediffimflux": _COUNTS,
        "forcediffimfluxunc": _COUNTS,
    }
)
OTHER_NAMES = {"latestr": "reliability", "jdmin": "jdstarthist", "ncand": "ndethist"}
"""What Lasair's tables call fields of the surveys."""
