"""A feed of alerts that goes on as long as it is asked to; its nth alert can be made at any time.

Night after night other objects flare up, all alike, so the right answers are those of one object.
"""

from functools import cache
from typing import NamedTuple

from tests.ztf_packets import flare

N_POINTS = 14
OBJECTS_A_NIGHT = 2000
ALERTS_A_NIGHT = N_POINTS * OBJECTS_A_NIGHT
FIRST_ALERT_ID = 1 << 50  # eight bytes in Avro, as all ids from here to 1 << 55
TEMPLATE_ID, TEMPLATE_NAME = (1 << 54) + 12_345_678, b"ZTF#########"


class Template(NamedTuple):
    """The bytes of a packet, and where in them each alert id stands, with the number of its point.

    The name stands in `name_at`.
    """

    packet: bytes
    name_at: int
    ids_at: list[tuple[int, int]]


def place_of(number: int) -> tuple[int, int]:
    """Return which object the nth alert is of, and which of its points it brings; from 0.

    A night brings the first points of all its objects, then the second ones, and so on.
    """
    night, in_night = divmod(number, ALERTS_A_NIGHT)
    point, in_point = divmod(in_night, OBJECTS_A_NIGHT)
    return night * OBJECTS_A_NIGHT + in_point, point


def alert_id(thing: int, point: int) -> int:
    """Return the id of the alert that brings a point of an object."""
    night, in_point = divmod(thing, OBJECTS_A_NIGHT)
    return FIRST_ALERT_ID + night * ALERTS_A_NIGHT + point * OBJECTS_A_NIGHT + in_point


def object_name(thing: int) -> bytes:
    """Name an object.

    >>> object_name(27)
    b'ZTF000000027'
    """
    return b"ZTF%09d" % thing


def packet(number: int) -> bytes:
    """Return the nth alert, an Avro container as ZTF sends it."""
    thing, point = place_of(number)
    template = templates()[point]
    content = bytearray(template.packet)
    content[template.name_at : template.name_at + len(TEMPLATE_NAME)] = object_name(thing)
    for at, of_point in template.ids_at:
        content[at : at + 8] = avro_long(alert_id(thing, of_point))
    return bytes(content)


@cache
def templates() -> list[Template]:
    """Write the packets of one object, and look where its name and its alert ids are."""
    ids = [avro_long(TEMPLATE_ID + point) for point in range(N_POINTS)]
    packets = flare(TEMPLATE_NAME.decode(), N_POINTS, first_alert_id=TEMPLATE_ID)
    return [
        Template(
            content,
            content.index(TEMPLATE_NAME),
            [(at, point) for point, id_ in enumerate(ids) for at in places(content, id_)],
        )
        for content in packets
    ]


def places(content: bytes, part: bytes) -> list[int]:
    """Return where a part begins, wherever it stands."""
    starts, at = [], content.find(part)
    while at >= 0:
        starts.append(at)
        at = content.find(part, at + 1)
    return starts


def avro_long(value: int) -> bytes:
    """Write an integer above 0 as Avro does: twice its value, seven bits a byte, the lowest first.

    >>> avro_long(64).hex()
    '8001'
    """
    left, content = 2 * value, bytearray()
    while left > 127:
        content.append(left & 127 | 128)
        left >>= 7
    content.append(left)
    return bytes(content)
