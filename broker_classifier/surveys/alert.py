"""What every survey's message becomes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from broker_classifier.errors import MessageError, SchemaError
from broker_classifier.light_curve import LightCurve
from broker_classifier.surveys.source.context import NOTHING_SAID, Context

EARLIEST_MJD, LATEST_MJD = 33282.0, 88069.0
SIMULATION_OF = {"elasticc": "lsst"}  # whose bundles its alerts are fit for
SOLAR_SYSTEM = "solar_system"  # the reason to decline an alert of an asteroid or a comet
LONGEST_OBJECT_ID = 200  # bytes; far below what any store's key may have


class Alert(NamedTuple):
    """One alert: a new detection of one object, with the history that its packet carries.

    It is a named tuple because thousands are made a second: a dataclass takes ten times as long.

    Attributes
    ----------
    survey : str
        "ztf", ...; names the settings section that routes it to its bundle.
    object_id : str
        ZTF `objectId`, LSST `diaObjectId` in decimal.
    alert_id : int
        ZTF `candid`, LSST `diaSourceId`; exact to 64 bits.
    mjd : float
        Time of the new detection, MJD in UTC (days).
    curve : LightCurve
        Every point of the packet, the new detection included.
    ra, dec : float or None
        J2000, degrees.
    decline : str or None
        Why this alert must not be classified ("solar_system", ...); None if it may be.
    context : Context
        What the packet says of the source beside the light curve.
    """

    survey: str
    object_id: str
    alert_id: int
    mjd: float
    curve: LightCurve
    ra: float | None = None
    dec: float | None = None
    decline: str | None = None
    context: Context = NOTHING_SAID

    @property
    def key(self) -> str:
        """Name the object among those of all surveys."""
        return f"{self.survey}:{self.object_id}"


def checked(alert: Alert | MessageError) -> Alert | MessageError:
    """Return the alert, or why it cannot be answered: no usable id, no date of an observation."""
    if isinstance(alert, MessageError):
        return alert
    if not 0 < len(alert.object_id.encode(errors="replace")) <= LONGEST_OBJECT_ID:
        return SchemaError(
            f"the object id {alert.object_id[:40]!r} is empty or above {LONGEST_OBJECT_ID} bytes"
        )
    if alert.decline is None and not EARLIEST_MJD < alert.mjd < LATEST_MJD:
        return SchemaError(f"the alert's time is MJD {alert.mjd}, no date from 1950 to 2100")
    return alert


BatchDecoder = Callable[[Sequence[bytes]], list[Alert | MessageError]]
"""Decodes messages of one survey: for each, in its place, the alert or why there is none."""


class Decoder(NamedTuple):
    """The decoder of a stream.

    Attributes
    ----------
    full : BatchDecoder
    heads : BatchDecoder or None
        Reads no further than the new detection, which is all of the alert's curve then. None where
        a message cannot be read in part.
    """

    full: BatchDecoder
    heads: BatchDecoder | None = None

    def __call__(self, messages: Sequence[bytes]) -> list[Alert | MessageError]:
        """Decode messages to their ends."""
        return self.full(messages)
