"""Open the index, follow the topic, and answer browsers until asked to stop."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from broker_classifier.config import Settings
from broker_classifier.errors import ConfigError
from broker_classifier.logs import get_logger
from broker_classifier.web.index.follow import Follower, Keeping
from broker_classifier.web.server.app import app
from broker_classifier.web.server.live import News

BACKLOG = 256
GRACE_S = 2

log = get_logger()


def serve_page(
    settings: Settings, stop: threading.Event, announce: Callable[[str], None] = lambda _: None
) -> None:
    """Serve the page until `stop` is set; `announce` is told its address.

    Raises
    ------
    ConfigError
        If its port is taken.
    StoreUnavailableError
        If its index cannot be opened.
    """
    web = settings.web
    listener = listening(web.host, web.port)
    news = News()
    keeping = Keeping(web.index, web.retention_days, web.most_mb)
    follower = Follower(settings.kafka, keeping, news.notify)
    server = _Server(
        uvicorn.Config(
            app(web, follower.progress, news),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACE_S,
            ws="none",
        )
    )
    ending = threading.Thread(target=_end, args=(stop, server, news), daemon=True)
    ending.start()
    follower.start()
    host, port = listener.getsockname()[:2]
    address = f"http://{host}:{port}/"
    log.info("page served", address=address)
    announce(address)
    try:
        server.run(sockets=[listener])
    finally:
        stop.set()
        follower.stop()


def listening(host: str, port: int) -> socket.socket:
    """Open the page's port.

    Raises
    ------
    ConfigError
        If that cannot be done.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {host}:{port}: {error}; set web.port to a free port"
        raise ConfigError(reason) from error
    return listener


class _Server(uvicorn.Server):
    """Leaves signals to the program, which sets `stop` at them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _end(stop: threading.Event, server: uvicorn.Server, news: News) -> None:
    stop.wait()
    news.is_over = True
    news.notify()
    server.should_exit = True
