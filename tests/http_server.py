"""An HTTP server on a port of this machine that answers what a function says."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    path: str
    headers: Message
    body: bytes


class Response(NamedTuple):
    status: int
    text: str
    headers: Mapping[str, str] = {}


@contextmanager
def http_server(respond: Callable[[Request], Response | None]) -> Iterator[str]:
    """Serve while the block runs; yield the address, such as "http://127.0.0.1:1234".

    Where `respond` returns None, the connection breaks.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            response = respond(Request(self.path, self.headers, body))
            if response is None:
                self.close_connection = True
                return
            text = response.text.encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(text))}
            self.send_response(response.status)
            for name, value in (headers | dict(response.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
