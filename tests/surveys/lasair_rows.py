"""Rows and answers as Lasair writes them, and a local server that answers like its object API."""

import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.http_server import Request, Response, http_server
from tests.surveys.lsst_packets import tai

LSST_ID = 313637921267122191
LSST_UTC = "2025-11-04 05:00:00"


def source(mjd: float, flux: float = 1000.0, band: str = "i", **fields: Any) -> dict[str, Any]:
    """One of `diaSourcesList` or `diaForcedSourcesList`, as lite rows have it."""
    measured = {"psfFlux": flux, "psfFluxErr": 50.0, "midpointMjdTai": tai(mjd), "band": band}
    return measured | fields


def row(**fields: Any) -> bytes:
    """A row, NaN and all."""
    return json.dumps(fields).encode()


def lite(*sources: dict[str, Any], forced: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"diaSourcesList": list(sources), "diaForcedSourcesList": list(forced)}


def candidate(jd: float, candid: int | None, mag: float = 18.0, **fields: Any) -> dict[str, Any]:
    """One of the ZTF API's `candidates`; a non-detection, as the API mangles it, without id."""
    if candid is None:
        return {"jd": jd, "fid": 1, "diffmaglim": 20.5, "magpsf": 20.5} | fields
    detected = {"candid": candid, "magpsf": mag, "sigmapsf": 0.1, "isdiffpos": "t"}
    return {"jd": jd, "fid": 2, "ra": 150.0, "dec": 2.0} | detected | fields


class FakeLasair:
    """What the server was asked, and what it answers: an object's JSON, or a list of statuses."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.objects: dict[str, str] = {}
        self.failures: list[int] = []
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def answer(self, authorization: str | None, path: str, form: dict[str, str]) -> tuple[int, str]:
        self.asked.append(form)
        if self.failures:
            return self.failures.pop(0), '{"detail": "not now"}'
        if authorization != f"Token {self.token}":
            return 401, '{"detail": "Invalid token."}'
        if path != "/api/object/" or form["objectId"] not in self.objects:
            return 404, '{"detail": "Not found."}'
        return 200, self.objects[form["objectId"]]


@contextmanager
def fake_lasair(token: str = "secret-token") -> Iterator[FakeLasair]:
    """Serve a `FakeLasair` on a port of this machine; `url` is its endpoint."""
    lasair = FakeLasair(token)

    def respond(request: Request) -> Response:
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        status, text = lasair.answer(request.headers["Authorization"], request.path, form)
        elsewhere = {"Location": f"{lasair.url}/elsewhere/"} if status == 302 else {}
        return Response(status, text, elsewhere)

    with http_server(respond) as address:
        lasair.url = f"{address}/api"
        yield lasair
