"""Ports for the servers of the tests."""

import random
import socket
from contextlib import ExitStack

# Outgoing connections take their ports above these, so a server that restarts finds its own free.
LOWEST, HIGHEST = 20_000, 32_000
_rng = random.SystemRandom()


def free_port(n_ports: int = 1) -> int:
    """Return a port on loopback that is free, as those after it are, up to so many in all."""
    while True:
        first = _rng.randrange(LOWEST, HIGHEST)
        try:
            with ExitStack() as stack:
                for port in range(first, first + n_ports):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
