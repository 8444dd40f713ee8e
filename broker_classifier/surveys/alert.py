"""What every survey's message becomes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broker_classifier.errors import MessageError
from broker_classifier.light_curve import LightCurve


@dataclass(frozen=True)
class Alert:
    """One alert: a new detection of one object, with the history that its packet carries.

    Attributes
    ----------
    survey : str
        "ztf", ...; names the settings section that routes it to its bundle.
    object_id : str
        ZTF `objectId`, LSST `diaObjectId` in decimal.
    alert_id : int
        ZTF `candid`, LSST `diaSourceId`; exact to 64 bits.
    mjd : float
        Time of the new detection, MJD (days).
    curve : LightCurve
        Every point of the packet, the new detection included.
    ra, dec : float or None
        J2000, degrees.
    decline : str or None
        Why this alert must not be classified ("solar_system", ...); None if it may be.
    """

    survey: str
    object_id: str
    alert_id: int
    mjd: float
    curve: LightCurve
    ra: float | None = None
    dec: float | None = None
    decline: str | None = None


BatchDecoder = Callable[[Sequence[bytes]], list[Alert | MessageError]]
"""Decodes messages of one survey: for each, in its place, the alert or why there is none."""
