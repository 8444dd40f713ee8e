"""What Lasair takes: lengths, characters and numbers; and how text and names are made to fit.

Lasair writes an annotation into its database as text between quotes, and its filters lower-case
their SQL. So a quote, a backslash, a line break, a bare NaN or a capital in a key does harm there
that nobody is told of. The tables here are from Lasair's schema and its API.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_INTEGER = 2**63 - 1
DECIMALS = 5
MAX_KEY_LENGTH = 40
MAX_CLASSDICT_TEXT = 80

_PLAIN = re.compile(r"[A-Za-z0-9 .,:;()+\-_/=]*")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,:;()+\-_/=]+")
_URL = re.compile(r"https?://[A-Za-z0-9.\-_~:/?&=+%\[\]@]+")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_NOT_KEY = re.compile(r"[^a-z0-9]+")
_FORBIDDEN_IN_KEYS = ("limit", "offset")  # Lasair refuses a filter that holds either


@dataclass(frozen=True)
class Limits:
    """Longest texts, and the form of an object's id, at one Lasair."""

    object_id: re.Pattern[str]
    has_integer_ids: bool
    lengths: Mapping[str, int] = field(
        default_factory=lambda: {
            "topic": 80,
            "classification": 80,
            "version": 16,
            "explanation": 1024,
            "classdict": 4096,
            "url": 1024,
        }
    )


_LSST = Limits(re.compile(r"[1-9][0-9]{0,18}"), has_integer_ids=True)
LIMITS: Mapping[str, Limits] = {
    "lsst": _LSST,
    "ztf": Limits(
        re.compile(r"ZTF[A-Za-z0-9]{1,13}"),
        has_integer_ids=False,
        lengths={**_LSST.lengths, "topic": 16, "classification": 16},
    ),
}
"""By the survey whose objects a Lasair holds."""


def plain(text: str, max_length: int) -> str:
    r"""Reduce text to letters, digits and plain punctuation, at most so long.

    >>> plain("it's a \"SN\u2009Ia\"", 80)
    'it s a SN Ia'
    """
    return " ".join(_NOT_PLAIN.sub(" ", text).split())[:max_length].strip()


def key(name: str) -> str:
    """Turn a name into a key that filters can use; empty where nothing of it is left.

    >>> key("SNIa-91bg"), key("91T"), key("Time limit")
    ('snia_91bg', 'c_91t', 'time_lim')
    """
    lower = _NOT_KEY.sub("_", name.lower()).strip("_")
    for word in _FORBIDDEN_IN_KEYS:
        while word in lower:
            lower = lower.replace(word, word[:3])
    lower = lower[:MAX_KEY_LENGTH].strip("_")
    return f"c_{lower}" if lower[:1].isdigit() else lower


def number(value: float | None) -> float | int | None:
    """Round a number for a classdict; None where it is no finite number of a sane size.

    >>> number(0.7985243), number(float("nan")), number(12), number(10**400), number(-1e-9)
    (0.79852, None, 12, None, 0.0)
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else None
    if not math.isfinite(value) or abs(value) > MAX_INTEGER:
        return None
    return round(value, DECIMALS) + 0.0  # no -0.0


def object_id_at(survey: str, object_id: str) -> int | str | None:
    """Return an object's id as its Lasair wants it; None where it cannot be one.

    >>> object_id_at("lsst", "313637921267122191"), object_id_at("ztf", "ZTF21abiuvdk")
    (313637921267122191, 'ZTF21abiuvdk')
    >>> object_id_at("lsst", "ZTF21abiuvdk"), object_id_at("ztf", "ZTF'; drop")
    (None, None)
    """
    limits = LIMITS[survey]
    if not limits.object_id.fullmatch(object_id):
        return None
    if not limits.has_integer_ids:
        return object_id
    return int(object_id) if int(object_id) <= MAX_INTEGER else None


def violations(annotation: Mapping[str, Any], survey: str) -> list[str]:
    """Say what of an annotation its Lasair could not take; empty where all is well.

    Parameters
    ----------
    annotation : mapping
        As the `lasair` client takes it, with the classdict as a dict.
    survey : str
    """
    wrong = _of_object_id(annotation.get("objectId"), survey)
    classdict = annotation.get("classdict", {})
    texts = {name: annotation.get(name) for name in LIMITS[survey].lengths if name != "classdict"}
    for name, text in texts.items():
        wrong += _of_text(name, text, LIMITS[survey].lengths[name])
    wrong += [f"the key {name!r}" for name in classdict if not is_key(name)]
    wrong += [f"{name} = {value!r}" for name, value in classdict.items() if not _is_value(value)]
    if len(json.dumps(classdict)) > LIMITS[survey].lengths["classdict"]:
        wrong.append("a classdict that is too long")
    return wrong


def is_key(name: str) -> bool:
    """Tell whether filters can use a key.

    >>> is_key("snia_91bg"), is_key("SNIa"), is_key("limit_mag"), is_key("")
    (True, False, False, False)
    """
    return bool(_KEY.fullmatch(name)) and not any(word in name for word in _FORBIDDEN_IN_KEYS)


def is_url(text: str) -> bool:
    """Tell whether an address is whole and plain."""
    return bool(_URL.fullmatch(text))


def _of_object_id(object_id: Any, survey: str) -> list[str]:
    is_good = object_id is not None and object_id_at(survey, str(object_id)) == object_id
    return [] if is_good else [f"the object id {object_id!r}"]


def _of_text(name: str, text: Any, max_length: int) -> list[str]:
    if not isinstance(text, str) or len(text) > max_length:
        return [f"a {name} that is no text of at most {max_length} characters"]
    if name == "url":
        return [] if not text or is_url(text) else ["a url that is not plain"]
    if name == "topic":
        return [] if _KEY.fullmatch(text) else ["a topic that is no name in SQL"]
    if not _PLAIN.fullmatch(text) or (not text.strip() and name != "explanation"):
        return [f"a {name} that is empty or not plain"]
    return []


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_PLAIN.fullmatch(value)) and len(value) <= MAX_CLASSDICT_TEXT
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return number(value) == value
