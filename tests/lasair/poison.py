"""What Lasair must never be sent, told from the bytes that its own client sends.

Written from the table of limits (FACTS, section 5) alone, not with the limits of the package.
"""

import json
import math
import re
from typing import Any

from lasair import lasair_client

LENGTHS = {"classification": 80, "version": 16, "explanation": 1024, "classdict": 4096, "url": 1024}
LENGTHS_OF_ZTF = {"classification": 16, "version": 16, "topic": 16}
FORBIDDEN = set("\"'`\\\n\r\t\0")


class Wire(lasair_client):  # type: ignore[misc] # it ships no types
    """Lasair's client, with the network cut: it returns what it would send."""

    def __init__(self) -> None:
        super().__init__("token")

    def fetch_from_server(self, method: str, input: Any, use_json: bool = False) -> Any:
        assert (method, use_json) == ("annotatelist", True)
        return json.loads(json.dumps(input, allow_nan=False))["annotations"]


def poison_in(annotation: dict[str, Any], survey: str) -> list[str]:
    """Say what of an annotation is poison; empty where nothing is."""
    [sent] = Wire().annotate_list([annotation])
    lengths = LENGTHS | (LENGTHS_OF_ZTF if survey == "ztf" else {})
    wrong = [f"{name} is too long" for name, most in lengths.items() if len(sent[name]) > most]
    for name in ("topic", "classification", "version", "explanation", "url"):
        if not _is_plain(sent[name]):
            wrong.append(f"{name} is not plain: {sent[name]!r}")
    if not sent["classification"].strip() or not sent["version"].strip():
        wrong.append("classification or version is blank")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", sent["topic"]):
        wrong.append("topic is no name in SQL")
    if survey == "lsst" and not (type(sent["objectId"]) is int and 0 < sent["objectId"] < 2**63):
        wrong.append(f"object id {sent['objectId']!r} is no integer")
    if survey == "ztf" and not re.fullmatch(r"[A-Za-z0-9]{1,16}", sent["objectId"]):
        wrong.append(f"object id {sent['objectId']!r} is no name")
    return wrong + _poison_in_classdict(sent["classdict"])


def _poison_in_classdict(text: str) -> list[str]:
    def refuse(name: str) -> float:
        msg = f"{name} in the classdict"
        raise AssertionError(msg)

    wrong = [] if _is_ascii(text) and not set(text) & set("'\\\n") else ["classdict is not plain"]
    for key, value in json.loads(text, parse_constant=refuse).items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key) or "limit" in key or "offset" in key:
            wrong.append(f"the key {key!r}")
        if isinstance(value, str):
            if not _is_plain(value):
                wrong.append(f"{key} is not plain")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            wrong.append(f"{key} is not flat: {value!r}")
        elif not math.isfinite(value) or round(value, 5) != value:
            wrong.append(f"{key} = {value!r}")
    return wrong


def _is_plain(text: str) -> bool:
    return _is_ascii(text) and not set(text) & FORBIDDEN


def _is_ascii(text: str) -> bool:
    return all(" " <= letter <= "~" for letter in text)
