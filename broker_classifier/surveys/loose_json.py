"""JSON as databases write it: bare NaN, numbers as strings, integers that must stay exact."""

import json
import re
from typing import Any

import orjson

from broker_classifier.errors import DecodeError

MAX_EXACT_FLOAT = 2.0**53
MAX_INTEGER = 2**63 - 1
MOST_PARTS = 200_000
"""Objects and arrays in a message; a row with the light curve of ten years has fewer."""
MAX_NUMBER = 1e30
"""No time, flux or angle is larger; what is would not fit a light curve's single precision."""


def parse_json(message: bytes) -> Any:
    """Parse JSON, bare `NaN` and `Infinity` included, which the standard does not know.

    Raises
    ------
    DecodeError
        If the bytes are no JSON even so, or one of absurdly many parts.
    """
    if message.count(b"{") + message.count(b"[") > MOST_PARTS:
        msg = f"the message has more than {MOST_PARTS} objects and arrays; no row does"
        raise DecodeError(msg)
    try:
        return orjson.loads(message)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(message)
    except RecursionError:
        msg = "the message is JSON that is nested too deeply to be a row"
        raise DecodeError(msg) from None
    except ValueError as error:
        msg = f"the message is no JSON: {error}"
        raise DecodeError(msg) from error


def number(value: Any) -> float | None:
    """Read a number up to `MAX_NUMBER`, also one written as a string; None for anything else.

    >>> number("60983.25"), number(7), number("NaN"), number(None), number(True)
    (60983.25, 7.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if abs(read) <= MAX_NUMBER else None


def integer(value: Any) -> int | None:
    """Read an integer of at most 63 bits, exact to its last digit; None for anything else.

    >>> integer("313637921267122191"), integer(3.0), integer(3.13637921267122191e17), integer(2**70)
    (313637921267122191, 3, None, None)
    """
    read = _integer(value)
    return read if read is not None and abs(read) <= MAX_INTEGER else None


def _integer(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_EXACT_FLOAT:
        return int(value)
    is_decimal = isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,19}\s*", value)
    return int(value) if is_decimal else None
