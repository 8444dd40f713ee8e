"""Nights of a simulated season of thousands of objects: the packets of a few under other names."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from broker_classifier.demo.simulate.night import Packet, simulate_night
from tests.bench.rubin_visits import varint

N_ORIGINALS, FIRST_ALERT = 150, 10  # the alerts before are of the season's beginning
_PREFIX = "ZTF26sim"

Season = Sequence[Sequence[Packet]]
"""Of each of a few objects, one alert for every night."""


def season(n_nights: int) -> Season:
    """Simulate a few objects, and take so many alerts of each in a row."""
    of_object: dict[str, list[Packet]] = defaultdict(list)
    for packet in simulate_night(N_ORIGINALS, seed=3):
        of_object[packet.object_id].append(packet)
    end = FIRST_ALERT + n_nights
    return [packets[FIRST_ALERT:end] for packets in of_object.values() if len(packets) >= end]


def night(objects: Season, number: int, n_alerts: int) -> Iterator[Packet]:
    """Yield so many alerts of a night, each of another object; the next night has the same."""
    for i in range(n_alerts):
        copy, original = divmod(i, len(objects))
        yield renamed(objects[original][number], copy)


def renamed(packet: Packet, copy: int) -> Packet:
    """Return a packet as one of another object, with another `candid`; it is as long as before."""
    alert_id = packet.alert_id + 100_000 * (copy + 1)
    name = packet.object_id.replace(_PREFIX, f"ZTF26{copy:03}")
    message = packet.message.replace(packet.object_id.encode(), name.encode())
    message = message.replace(varint(packet.alert_id), varint(alert_id))
    return replace(packet, object_id=name, alert_id=alert_id, message=message)
