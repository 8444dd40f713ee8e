"""Compile the decoders ahead of the first alert: python -m broker_classifier.surveys.warm.

numba keeps the machine code beside the sources, else in the user's cache folder, or where
NUMBA_CACHE_DIR says; it needs to write there, also to read. NUMBA_CPU_NAME=generic makes code
that another machine of the same kind takes as well.
"""

import io

import fastavro

from broker_classifier.errors import MessageError
from broker_classifier.surveys import ztf
from broker_classifier.surveys.alert import Alert

_POINT = {"jd": 2460000.5, "fid": 1, "magpsf": 18.0, "sigmapsf": 0.1}
_FIELDS = [{"name": name, "type": "int" if name == "fid" else "double"} for name in _POINT]
_SCHEMA = {
    "type": "record",
    "name": "alert",
    "fields": [
        {"name": "objectId", "type": "string"},
        {"name": "candid", "type": "long"},
        {"name": "candidate", "type": {"type": "record", "name": "point", "fields": _FIELDS}},
        {"name": "prv_candidates", "type": {"type": "array", "items": "point"}},
    ],
}


def warm() -> list[Alert | MessageError]:
    """Take a packet through all that is compiled: twice, as the first time is another way."""
    packet = io.BytesIO()
    alert = {"objectId": "Z", "candid": 1, "candidate": _POINT, "prv_candidates": [_POINT]}
    fastavro.writer(packet, fastavro.parse_schema(_SCHEMA), [alert])
    decode = ztf.decoder()
    return [alert for _ in range(2) for alert in decode([packet.getvalue()])]


if __name__ == "__main__":
    warm()
