"""The alerts that a demo sends: simulated ones with their truth, or real ones from files."""

import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from broker_classifier.demo.simulate.night import simulate_night
from broker_classifier.errors import MessageError
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.surveys import ztf
from broker_classifier.surveys.alert import Alert

MOST_REAL_ALERTS = 3000


@dataclass(frozen=True)
class DemoAlert:
    """One packet to send, and what the demo must know of it.

    Attributes
    ----------
    alert_id : int or None
        None where the packet cannot be read: it must become a dead letter.
    mjd : float
        Time of its detection, days; NaN where it cannot be read.
    label : str or None
        True class, of simulated objects.
    message : bytes
    """

    alert_id: int | None
    object_id: str
    mjd: float
    label: str | None
    message: bytes


def simulated_alerts(n_objects: int, seed: int) -> list[DemoAlert]:
    """Simulate 100 nights of alerts, in time order."""
    return [
        DemoAlert(packet.alert_id, packet.object_id, packet.mjd, packet.label, packet.message)
        for packet in simulate_night(n_objects, seed)
    ]


def real_alerts(path: Path) -> list[DemoAlert]:
    """Read packets from a file, folder or archive, in time order; unreadable ones come last.

    Of very many, the first 3000: a demo holds them in memory.

    Raises
    ------
    DataError
        If the path cannot be read or holds no alert.
    """
    messages = [packet.value for packet in islice(alert_packets([path]), MOST_REAL_ALERTS)]
    decoded = ztf.decoder()(messages)
    alerts = [_real_alert(*pair) for pair in zip(messages, decoded, strict=True)]
    return sorted(alerts, key=lambda alert: (math.isnan(alert.mjd), alert.mjd))


def _real_alert(message: bytes, alert: Alert | MessageError) -> DemoAlert:
    if isinstance(alert, MessageError):
        return DemoAlert(None, "", math.nan, None, message)
    return DemoAlert(alert.alert_id, alert.object_id, alert.mjd, None, message)
