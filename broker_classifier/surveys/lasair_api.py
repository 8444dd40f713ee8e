"""Lasair's object API: the light curve of an object whose filter row came without one.

The API allows few calls an hour, answers 429 without saying when to come back, and shares one
token between all that a user runs. So calls are counted, answers kept, and after a failure that
trying again did not mend, it is left alone for a while: the stream does not wait for it.
"""

import http.client
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from broker_classifier.errors import DecodeError, LightCurveUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.surveys.loose_json import number, parse_json

LSST_ENDPOINT = "https://api.lasair.lsst.ac.uk/api"
ZTF_ENDPOINT = "https://lasair-ztf.lsst.ac.uk/api"
CALLS_PER_HOUR = 50
TIMEOUT_S = 10.0
BACKOFF_S = (1.0, 3.0)
PAUSE_S = 600.0
MAX_ANSWERS = 1000
MOST_BYTES = 32 << 20  # of an answer; a longer one is cut, and no JSON then

_HOUR_S = 3600.0
_UNKNOWN_OBJECT = {400, 404}
_REFUSED = {401, 403}
_BROKEN_CONNECTION = (OSError, http.client.HTTPException, DecodeError)

Answer = dict[str, Any]

log = get_logger()


def object_apis(
    lsst_token: str = "",
    ztf_token: str = "",
    *,
    lsst_endpoint: str = LSST_ENDPOINT,
    ztf_endpoint: str = ZTF_ENDPOINT,
    calls_per_hour: int = CALLS_PER_HOUR,
) -> dict[str, "LasairApi"]:
    """Return the object API of every Lasair for which there is a token.

    Lasair-LSST and Lasair-ZTF are two services with users and tokens of their own.
    """
    services = {"lsst": (lsst_token, lsst_endpoint), "ztf": (ztf_token, ztf_endpoint)}
    return {
        survey: LasairApi(token, endpoint, calls_per_hour)
        for survey, (token, endpoint) in services.items()
        if token
    }


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follow none: urllib would hand the token to whatever host is named."""

    def redirect_request(self, *_: Any) -> None:
        """Leave the redirection as the error that it comes as."""


_OPENER = urllib.request.build_opener(_NoRedirects)


class LasairApi:
    """An `ObjectApi` over HTTP.

    Parameters
    ----------
    token : str
        Sent in a header and shown nowhere.
    endpoint : str
        Such as https://api.lasair.lsst.ac.uk/api.
    calls_per_hour : int
        In any hour no more requests than this are made, repeated ones included.
    timeout_s : float
        Longest wait for the connection, and for each piece of an answer.
    clock, sleep : callable
        Monotonic time in seconds, and how to let it pass.
    """

    def __init__(
        self,
        token: str,
        endpoint: str = LSST_ENDPOINT,
        calls_per_hour: int = CALLS_PER_HOUR,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token
        self._url = f"{endpoint.rstrip('/')}/object/"
        self._calls_per_hour = calls_per_hour
        self._timeout_s = timeout_s
        self._clock = clock
        self._sleep = sleep
        self._calls: deque[float] = deque()
        self._answers: OrderedDict[str, tuple[float, Answer | None]] = OrderedDict()
        self._left_alone: tuple[float, str] = (-float("inf"), "")

    def __repr__(self) -> str:
        return f"LasairApi({self._url})"

    def fetch(self, object_id: str, state: str) -> Answer | None:
        """Return what Lasair knows of an object, from memory for a state no later than one before.

        An answer holds all that came before it, so one call completes many rows of an object.

        Returns
        -------
        dict or None
            None if Lasair does not know the object.

        Raises
        ------
        LightCurveUnavailableError
            If the hour's calls are spent, or Lasair does not answer, or not with an object.
        """
        moment = number(state) or -math.inf
        asked_for, answer = self._answers.get(object_id, (math.nan, None))
        if not moment <= asked_for:
            answer = self._ask(object_id)
            self._answers[object_id] = moment, answer
            self._answers.move_to_end(object_id)  # the one asked for longest ago is forgotten
            if len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def _ask(self, object_id: str) -> Answer | None:
        until, reason = self._left_alone
        if self._clock() < until:
            raise self._unavailable(object_id, f"{reason}; it is left alone for a while")
        for wait_s in (*BACKOFF_S, None):
            self._count_call(object_id)
            try:
                return self._post(object_id)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code in _UNKNOWN_OBJECT:
                    return None
                reason = _explain(error.code)
                if error.code in _REFUSED:
                    break
            except _BROKEN_CONNECTION as error:
                reason = str(error)
            if wait_s is not None:
                log.warning("lasair is asked again", object_id=object_id, reason=reason)
                self._sleep(wait_s)
        self._left_alone = self._clock() + PAUSE_S, reason
        raise self._unavailable(object_id, reason)

    def _count_call(self, object_id: str) -> None:
        now = self._clock()
        while self._calls and self._calls[0] <= now - _HOUR_S:
            self._calls.popleft()
        if len(self._calls) >= self._calls_per_hour:
            reason = f"the {self._calls_per_hour} calls of this hour are spent"
            raise self._unavailable(object_id, reason)
        self._calls.append(now)

    def _post(self, object_id: str) -> Answer | None:
        form = {"objectId": object_id, "lite": "False", "lasair_added": "False"}
        request = urllib.request.Request(
            self._url,
            data=urllib.parse.urlencode(form).encode(),
            headers={"Authorization": f"Token {self._token}"},
        )
        with _OPENER.open(request, timeout=self._timeout_s) as response:
            answer = parse_json(response.read(MOST_BYTES))
        return answer if isinstance(answer, dict) and "error" not in answer else None

    def _unavailable(self, object_id: str, reason: str) -> LightCurveUnavailableError:
        msg = (
            f"the light curve of {object_id} cannot be had from {self._url}: {reason}; "
            "replay the dead letter later"
        )
        return LightCurveUnavailableError(msg)


def _explain(status: int) -> str:
    if status in _REFUSED:
        return f"it refuses the token (HTTP {status}); check lasair.lsst_token or ztf_token"
    if status == http.client.TOO_MANY_REQUESTS:
        return "it throttles this token (HTTP 429)"
    return f"it answers HTTP {status}"
