"""Lasair's own client, and what its answers mean for the sender.

The client raises `LasairError` with a sentence for every refusal, lets the errors of `requests`
through where no connection comes about, and tries nothing again. What it says decides what
happens to the annotations: see `Reply`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import requests
from lasair import LasairError, lasair_client
from pydantic import SecretStr

from broker_classifier.lasair.annotation.write_annotation import Annotation

MAX_WORDS = 500

_ROWS_OF_A_QUERY = 10_000  # the most that an ordinary token is given
_ANNOTATOR = re.compile(r"annotator error", re.IGNORECASE)
_DATABASE = re.compile(r"cannot connect|kafka production|lost connection|gone away", re.IGNORECASE)
_ERROR_KEY = re.compile(r"\"error\"\s*:")
_STATUS = re.compile(r"HTTP return code (\d{3})")
_TOO_LARGE = "413"
_AWAY = {"502", "503", "504"}


class Outcome(Enum):
    """What became of a call."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # an annotation is at fault
    BARRED = "barred"  # the token or the annotator is: a person has to act
    THROTTLED = "throttled"
    FAILED = "failed"  # Lasair answers, but with an error of its own, or not in time
    AWAY = "away"  # nobody answers


@dataclass(frozen=True)
class Reply:
    """What became of a call, and Lasair's words."""

    outcome: Outcome
    words: str = ""

    @property
    def is_certain(self) -> bool:
        """Whether a refusal names the field at fault, and so will be the same again."""
        return self.outcome is Outcome.REFUSED and not _ERROR_KEY.search(self.words)


class LasairAnnotator:
    """One annotator at one Lasair.

    Parameters
    ----------
    topic : str
        Its name.
    token : SecretStr
        Sent in a header and shown nowhere.
    endpoint : str
        Such as https://api.lasair.lsst.ac.uk/api.
    timeout_s : float
    """

    def __init__(self, topic: str, token: SecretStr, endpoint: str, timeout_s: float) -> None:
        self.topic = topic
        self._token = token.get_secret_value()
        self._client = lasair_client(self._token, endpoint=endpoint.rstrip("/"), timeout=timeout_s)

    def __repr__(self) -> str:
        return f"LasairAnnotator({self.topic}, {self._client.endpoint})"

    def send(self, annotations: Sequence[Annotation]) -> Reply:
        """Send a batch in one call; it never raises for what Lasair or the network does."""
        try:
            result = self._client.annotate_list(list(annotations))
        except LasairError as error:
            return self._reply(str(error.message))
        except requests.exceptions.Timeout as error:
            return self._reply(f"Request timed out: {error}")
        except requests.exceptions.RequestException as error:
            return Reply(Outcome.AWAY, self._without_token(str(error)))
        if isinstance(result, dict) and result.get("error"):
            return self._reply(f"Internal Server Error: {result['error']}")
        return Reply(Outcome.ACCEPTED)

    def query(self, selected: str, tables: str, conditions: str, start: int) -> Any:
        """Ask Lasair's database; returns rows, or what else it answers.

        Raises
        ------
        LasairError, requests.exceptions.RequestException
            As the client does.
        """
        return self._client.query(selected, tables, conditions, _ROWS_OF_A_QUERY, start)

    def _reply(self, words: str) -> Reply:
        return Reply(_outcome(words), self._without_token(words))

    def _without_token(self, words: str) -> str:
        return " ".join(words.replace(self._token or "\0", "…").split())[:MAX_WORDS]


def _outcome(words: str) -> Outcome:
    r"""Tell from the client's sentence who is at fault.

    >>> _outcome('Bad Request:{"error": "Annotator error: topic t does not exist"}').name
    'BARRED'
    >>> _outcome('Bad Request:{"classification": ["too long"]}').name
    'REFUSED'
    >>> _outcome("HTTP return code 503 for\nhttp://lasair/annotatelist/").name
    'AWAY'
    """
    if words.startswith("Bad Request"):
        return _of_bad_request(words)
    if words.startswith("Unauthorized"):
        return Outcome.BARRED
    if words.startswith("Request limit exceeded"):
        return Outcome.THROTTLED
    status = _STATUS.search(words)
    return _of_status(status[1]) if status else Outcome.FAILED


def _of_bad_request(words: str) -> Outcome:
    if _ANNOTATOR.search(words):
        return Outcome.BARRED
    return Outcome.FAILED if _DATABASE.search(words) else Outcome.REFUSED


def _of_status(code: str) -> Outcome:
    if code == _TOO_LARGE:
        return Outcome.REFUSED
    if code in _AWAY:
        return Outcome.AWAY
    return Outcome.BARRED if code.startswith("4") else Outcome.FAILED
