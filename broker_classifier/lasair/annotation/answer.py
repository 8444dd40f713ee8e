"""A message of the classification topic, as the answer of an object that an annotation tells."""

import math

from pydantic import ValidationError

from broker_classifier.errors import DecodeError
from broker_classifier.streams.classification import NOT_CLASSIFIED, ClassificationMessage, parse

MAX_MJD = 1e6

Order = tuple[float, int, float]


def read_answer(value: bytes) -> ClassificationMessage:
    """Read a published message.

    Raises
    ------
    DecodeError
        If it is none, or its time is no time.
    """
    try:
        message = parse(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        msg = f"the message is no classification: {place}: {first['msg']}"
        raise DecodeError(msg) from error
    if not 0.0 < message.mjd < MAX_MJD:
        msg = f"the message of {message.object_id} is of mjd {message.mjd}, which is no time"
        raise DecodeError(msg)
    return message


def is_classified(message: ClassificationMessage) -> bool:
    """Tell whether a message says something, instead of taking an earlier answer back."""
    return message.top_class != NOT_CLASSIFIED


def order_of(message: ClassificationMessage) -> Order:
    """Return what grows from an object's earlier answer to its later one."""
    return message.mjd, message.curve_version, message.times.classified.timestamp()


def bits_of(message: ClassificationMessage) -> float | None:
    """Return the information that the light curve gave; None where the message does not say."""
    bits = message.information_bits
    return bits if bits is not None and math.isfinite(bits) else None
