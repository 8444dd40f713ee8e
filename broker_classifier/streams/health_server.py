"""/metrics for Prometheus and /health for whoever keeps a process alive, on one port."""

import threading
from collections.abc import Callable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from broker_classifier.errors import ConfigError

IDLE_CONNECTION_S = 10

Health = Callable[[], tuple[bool, str]]
"""Whether a process is well, with a sentence."""


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a connection, so that an idle one holds up neither the others nor the end."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    timeout = IDLE_CONNECTION_S

    def log_message(self, format: str, *args: object) -> None:
        """Keep every scrape out of the log."""


def serve_health(
    registry: CollectorRegistry, health: Health, host: str, port: int, setting: str
) -> WSGIServer:
    """Answer /metrics and /health on a thread; `server_port` tells the port, `shutdown` ends it.

    Parameters
    ----------
    registry : CollectorRegistry
    health : callable
    host, port
    setting : str
        Name of the port's setting, for the error.

    Raises
    ------
    ConfigError
        If the port is taken.
    """
    prometheus = make_wsgi_app(registry)

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] != "/health":
            return prometheus(environ, start_response)
        is_well, sentence = health()
        status = "200 OK" if is_well else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [sentence.encode() + b"\n"]

    return _started(application, host, port, setting)


def serve_texts(
    answer: Callable[[str], tuple[int, str]], host: str, port: int, setting: str
) -> WSGIServer:
    """Answer each path with the status and the text that a function gives; see `serve_health`."""

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        status, text = answer(environ["PATH_INFO"])
        headers = [("Content-Type", "text/plain; charset=utf-8")]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [text.encode()]

    return _started(application, host, port, setting)


def _started(application: Any, host: str, port: int, setting: str) -> WSGIServer:
    try:
        server = make_server(host, port, application, _Server, _QuietHandler)
    except OSError as error:
        reason = f"cannot listen on {host}:{port}: {error}; set {setting} to a free port"
        raise ConfigError(reason) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
