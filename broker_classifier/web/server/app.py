"""Addresses and what answers them: pages, their files, JSON, the live stream. All are read only."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from broker_classifier import __version__
from broker_classifier.config.web import WebSettings
from broker_classifier.model.find_bundle import bundles_folder
from broker_classifier.web.index.filters import FilterError, condition, window
from broker_classifier.web.index.follow import Progress
from broker_classifier.web.index.history import object_history
from broker_classifier.web.index.query import list_objects, names_of, rows_since, sky_cells
from broker_classifier.web.server.assets import Assets, colours
from broker_classifier.web.server.bundles import bundle_names, bundle_page, picture
from broker_classifier.web.server.guard import Guard
from broker_classifier.web.server.live import MOST_ROWS, MOST_STREAMS, News, SharedRows, events
from broker_classifier.web.server.reading import Reading
from broker_classifier.web.server.service_health import service_health

PAGES = {
    "/": "home",
    "/object/{name:path}": "object",
    "/bundle": "bundle",
    "/bundle/{name}": "bundle",
    "/health": "health",
}
COMPRESSED_BYTES = 2000

Ask = Callable[[sqlite3.Connection, Request], Any]


def app(settings: WebSettings, progress: Progress, news: News) -> Starlette:
    """Make the application; the index need not be there before its first request."""
    reading, assets = Reading(settings.index), Assets()
    routes = [
        *(Route(path, _page(assets, kind)) for path, kind in PAGES.items()),
        Route(f"/assets/{assets.hash}/{{name:path}}", _asset(assets)),
        Route("/api/objects", _asked(reading, _list)),
        Route("/api/sky", _asked(reading, _sky)),
        Route("/api/names", _asked(reading, lambda index, _: names_of(index))),
        Route("/api/objects/{survey:path}/{object_id:path}", _asked(reading, _object)),
        Route("/api/stream", _stream(reading, progress, news)),
        *_beside_the_index(settings, progress, news),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        news.open()
        yield

    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts), www_redirect=False),
        Middleware(
            Guard,
            token=settings.token.get_secret_value(),
            requests_per_s=settings.requests_per_s,
        ),
        Middleware(GZipMiddleware, minimum_size=COMPRESSED_BYTES, compresslevel=1),
    ]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


def json_response(content: Any, status: int = 200) -> Response:
    """Answer with JSON; what is no number there, NaN, becomes null."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def _page(assets: Assets, kind: str) -> Callable[[Request], Response]:
    page = assets.page(kind, {"version": __version__, "colours": colours()})

    def answer(request: Request) -> Response:
        headers = {"Cache-Control": "no-cache"}
        if kind == "object":  # its data come while its script does
            data = (
                request.scope["raw_path"].decode("latin-1").replace("/object/", "/api/objects/", 1)
            )
            headers["Link"] = f"<{data}>; rel=preload; as=fetch; crossorigin"
        return HTMLResponse(page, headers=headers)

    return answer


def _asset(assets: Assets) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        accepts_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        return assets.response(request.path_params["name"], accepts_gzip) or _not_there("file")

    return answer


def _asked(reading: Reading, ask: Ask) -> Callable[[Request], Response]:
    """Answer with what the index says; on a thread of its own, as this is no coroutine."""

    def answer(request: Request) -> Response:
        try:
            return json_response(ask(reading.connection(), request))
        except FilterError as error:
            return json_response({"error": str(error)}, 400)
        except HTTPException as error:
            return json_response({"error": error.detail}, error.status_code)
        except sqlite3.Error as error:
            return json_response({"error": f"the index cannot be read: {error}"}, 503)

    return answer


def _list(index: sqlite3.Connection, request: Request) -> Mapping[str, Any]:
    query = dict(request.query_params)
    is_of_classes = bool(query.get("class"))
    others = condition({**query, "class": ""}) if is_of_classes else None
    return list_objects(index, condition(query), window(query), others)


def _sky(index: sqlite3.Connection, request: Request) -> Any:
    return sky_cells(index, condition(request.query_params))


def _object(index: sqlite3.Connection, request: Request) -> Any:
    # As it was sent: an id, or a survey, may have a slash of its own, which is %2F there.
    _, _, _, survey, object_id = (*map(unquote, request.scope["raw_path"].decode().split("/", 4)),)
    history = object_history(index, survey, object_id)
    if history is None:
        raise HTTPException(404, f"no answer for {object_id} of {survey} is in the index")
    return history


def _stream(reading: Reading, progress: Progress, news: News) -> Callable[[Request], Any]:
    rows = SharedRows(lambda seq: rows_since(reading.connection(), seq, MOST_ROWS))

    async def answer(request: Request) -> Response:
        if news.n_streams >= MOST_STREAMS:
            return json_response({"error": "too many live streams are open"}, 503)
        given = request.headers.get("Last-Event-ID") or request.query_params.get("since") or ""
        last = int(given) if given.isascii() and given.isdigit() else progress.seq
        return StreamingResponse(events(news, progress, rows, last), media_type="text/event-stream")

    return answer


def _beside_the_index(settings: WebSettings, progress: Progress, news: News) -> list[Route]:
    def health(_: Request) -> Response:
        page = {**vars(progress), "n_streams": news.n_streams}
        services = [service_health(address) for address in settings.services]
        return json_response({"page": page, "services": services})

    folder = settings.bundles or bundles_folder()

    def bundles(_: Request) -> Response:
        return json_response(bundle_names(folder))

    def bundle(request: Request) -> Response:
        page = bundle_page(folder, request.path_params["name"])
        return _not_there("bundle") if page is None else json_response(page)

    def bundle_picture(request: Request) -> Response:
        content = picture(folder, **request.path_params)
        return Response(content, media_type="image/png") if content else _not_there("picture")

    return [
        Route("/api/health", health),
        Route("/api/bundles", bundles),
        Route("/api/bundles/{name}", bundle),
        Route("/api/bundles/{name}/{file}", bundle_picture),
    ]


def _not_there(what: str) -> Response:
    return json_response({"error": f"there is no such {what}"}, 404)
