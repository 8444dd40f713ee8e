"""Whose alert a message is, told by its bytes: its framing, and fields that one survey alone has.

Brokers wrap a survey's packet in more fields and records; what the survey wrote is still there.
"""

import re
from functools import lru_cache
from typing import Any

import orjson

from broker_classifier.surveys.avro.container import MAGIC

CONFLUENT_HEADER_SIZE = 5
CONFLUENT_SCHEMA_IDS = range(700, 10_000)
"""Rubin's ids are major·100 + minor, from 7.0 on; other files that begin with 0 have none such."""

_SCHEMA_KEY = b"\x16avro.schema"
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*([{\[])")
_ZTF_FIELDS = {"objectId", "candidate"}
_LSST_FIELD = "diaSource"
_ELASTICC_ONLY = b'"midPointTai"'


def survey_of(message: bytes) -> str | None:
    """Tell whose alert a message is; None where the bytes cannot tell, as with a bare Avro body.

    >>> survey_of(b'{"objectId": "ZTF21abiuvdk", "UTC": "2021-07-05 09:54:51"}')
    'lasair'
    >>> survey_of(bytes([0, 0, 0, 0x04, 0x4D]) + b"body written with schema 1101")
    'lsst'
    """
    if is_container(message):
        return survey_of_schema(schema_of(message))
    if is_framed(message):
        return "lsst"
    return "lasair" if is_json(message) else None


def is_container(head: bytes) -> bool:
    """Tell whether bytes begin an Avro object container."""
    return head.startswith(MAGIC)


def is_framed(head: bytes) -> bool:
    """Tell whether bytes begin like one of Rubin's messages: 0, schema id, body (Confluent)."""
    schema_id = int.from_bytes(head[1:CONFLUENT_HEADER_SIZE], "big")
    has_body = len(head) > CONFLUENT_HEADER_SIZE
    return has_body and head[0] == 0 and schema_id in CONFLUENT_SCHEMA_IDS


def is_json(head: bytes) -> bool:
    """Tell whether bytes begin a JSON object or array."""
    return _JSON_START.match(head) is not None


@lru_cache(maxsize=64)
def survey_of_schema(schema: bytes) -> str | None:
    """Tell which survey's alerts a writer's schema describes, whatever else is in it.

    LSST and ELAsTiCC share `diaSource`, but not the spelling of what is in it.
    """
    try:
        parsed: Any = orjson.loads(schema)
        names = {field["name"] for field in parsed["fields"]}
    except (ValueError, KeyError, TypeError):
        return None
    if names >= _ZTF_FIELDS:
        return "ztf"
    if _LSST_FIELD in names:
        return "elasticc" if _ELASTICC_ONLY in schema else "lsst"
    return None


def schema_of(container: bytes) -> bytes:
    """Cut the writer's schema out of a container, even one that is broken further on.

    Returns
    -------
    bytes
        Empty, or cut short, if the header itself is broken.
    """
    start = container.find(_SCHEMA_KEY) + len(_SCHEMA_KEY)
    if start < len(_SCHEMA_KEY):
        return b""
    zigzag = shift = 0
    for at in range(start, min(start + 9, len(container))):
        zigzag |= (container[at] & 0x7F) << shift
        shift += 7
        if not container[at] & 0x80:
            return container[at + 1 : at + 1 + (zigzag >> 1)]
    return b""
