"""A proxy between clients and a server: late with its answers, or gone in the middle of one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

CHUNK_BYTES = 1 << 16


class SlowProxy:
    """Passes bytes on between a port of its own and a server's.

    Attributes
    ----------
    port : int
    delay_s : float
        How late each answer is.
    n_cuts : int
        Of so many answers yet only the first half of the bytes pass; then the connection ends.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.delay_s, self.n_cuts = 0.0, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # when it is closed
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            server = socket.create_connection(("127.0.0.1", self._server_port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            questions = threading.Thread(target=pass_on, args=(client, server), daemon=True)
            with server:
                questions.start()
                self._answer(server, client)
                for end in (client, server):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                questions.join()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(CHUNK_BYTES):
                time.sleep(self.delay_s)
                if self.n_cuts > 0 and len(answer) > 1:
                    self.n_cuts -= 1
                    client.sendall(answer[: len(answer) // 2])
                    return
                client.sendall(answer)

    def close(self) -> None:
        self._listening.close()


def pass_on(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):
        while question := client.recv(CHUNK_BYTES):
            server.sendall(question)
        server.shutdown(socket.SHUT_WR)


@contextmanager
def slow_proxy(server_port: int) -> Iterator[SlowProxy]:
    with closing(SlowProxy(server_port)) as proxy:
        yield proxy
