"""JSON as databases write it: bare NaN, numbers as strings, integers that must stay exact."""

import json
import math
from typing import Any

import orjson

from broker_classifier.errors import DecodeError

MAX_EXACT_FLOAT = 2.0**53


def parse_json(message: bytes) -> Any:
    """Parse JSON, bare `NaN` and `Infinity` included, which the standard does not know.

    Raises
    ------
    DecodeError
        If the bytes are no JSON even so.
    """
    try:
        return orjson.loads(message)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(message)
    except (ValueError, RecursionError) as error:
        msg = f"the message is no JSON: {error}"
        raise DecodeError(msg) from error


def number(value: Any) -> float | None:
    """Read a finite number, also one written as a string; None for anything else.

    >>> number("60983.25"), number(7), number("NaN"), number(None), number(True)
    (60983.25, 7.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def integer(value: Any) -> int | None:
    """Read an integer, exact to its last digit; None where a float may have lost some.

    >>> integer("313637921267122191"), integer(3.0), integer(3.13637921267122191e17), integer("x")
    (313637921267122191, 3, None, None)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_EXACT_FLOAT:
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        return int(value)
    return None
