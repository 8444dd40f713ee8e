"""What every request passes: the token, the rate limit; and the headers of every response."""

import hmac
import time
from collections import OrderedDict
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "broker_token"
BURST_S = 4.0
MOST_ADDRESSES = 10_000
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Lets a request through, or answers it: 401 without the token, 429 where there are too many.

    Parameters
    ----------
    app : ASGIApp
    token : str
        Empty where anyone who reaches the port may look.
    requests_per_s : float
        Of one address in the long run; a burst may have four seconds' worth.
    """

    def __init__(self, app: ASGIApp, token: str, requests_per_s: float) -> None:
        self._app = app
        self._token = token
        self._rate = Rate(requests_per_s, BURST_S * requests_per_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope)
        refusal = self._refusal(request)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        address = request.client.host if request.client else ""
        if not self._rate.allows(address, time.monotonic()):
            return PlainTextResponse("too many requests\n", 429, {"Retry-After": "1"})
        if not self._token:
            return None
        if self._is_token(request.query_params.get("token")) and request.method == "GET":
            return _with_cookie(request, self._token)
        _, _, bearer = request.headers.get("Authorization", "").partition("Bearer ")
        if self._is_token(bearer) or self._is_token(request.cookies.get(COOKIE)):
            return None
        sentence = "This page asks for its token: open it once with ?token=… at its address.\n"
        return PlainTextResponse(sentence, 401, {"WWW-Authenticate": "Bearer"})

    def _is_token(self, given: str | None) -> bool:
        return bool(given) and hmac.compare_digest((given or "").encode(), self._token.encode())


class Rate:
    """A bucket of requests for each address, filled at some rate.

    >>> rate = Rate(1.0, 2.0)
    >>> [rate.allows("a", now) for now in (0.0, 0.0, 0.0, 1.0)], rate.allows("b", 0.0)
    ([True, True, False, True], True)
    """

    def __init__(self, per_s: float, most: float) -> None:
        self._per_s, self._most = per_s, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str, now: float) -> bool:
        """Take one request out of an address's bucket, if there is one."""
        left, before = self._left.pop(address, (self._most, now))
        left = min(self._most, left + (now - before) * self._per_s)
        is_allowed = left >= 1.0
        self._left[address] = (left - is_allowed, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return is_allowed


def _with_cookie(request: Request, token: str) -> Response:
    """Keep the token in a cookie, and take it out of the address."""
    query = [pair for pair in parse_qsl(request.url.query) if pair[0] != "token"]
    address = request.url.path + (f"?{urlencode(query)}" if query else "")
    # Two slashes would lead to another host.
    response = RedirectResponse("/" + address.lstrip("/"), 303)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=30 * 86400)
    return response
