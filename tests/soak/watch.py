"""Watches a street while it works: the audit's reports, and the memory of all processes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from tests.service.faults import Street
from tests.soak.audit import Report, audit
from tests.soak.memory import Memory

ASKED_EVERY_S, SAMPLED_EVERY_S, ANSWER_S = 1.0, 5.0, 120.0


class Watch:
    """A thread that asks the audit once a second, and looks at the memory.

    Attributes
    ----------
    report : Report
        The last one.
    memory : Memory
    n_sent : callable
        How many alerts were sent.
    """

    def __init__(self, street: Street, asked: Connection) -> None:
        self._street, self._asked = street, asked
        self.n_sent: Callable[[], int] = lambda: 0
        self.report, self.memory = Report(0, 0, 0, 0, 0, 0, 0, {}), Memory()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise RuntimeError if nobody watches any more."""
        if not self._thread.is_alive():
            msg = "the audit has ended or does not answer; what it said stands above"
            raise RuntimeError(msg)

    def _watch(self) -> None:
        next_sample = 0.0
        while not self._end.wait(ASKED_EVERY_S):
            self.report = self._asked_for(self.n_sent())
            if time.monotonic() >= next_sample:
                next_sample = time.monotonic() + SAMPLED_EVERY_S
                self.memory.sample(pids(self._street))

    def _asked_for(self, n_sent: int) -> Report:
        self._asked.send(n_sent)
        if not self._asked.poll(ANSWER_S):
            msg = f"the audit has been silent for {ANSWER_S:.0f} s"
            raise RuntimeError(msg)
        report: Report = self._asked.recv()
        return report

    def final(self, n_sent: int) -> Report:
        """End the thread, and ask a last time."""
        self._end.set()
        self._thread.join()
        return self._asked_for(n_sent)


def pids(street: Street) -> dict[str, int]:
    """Return the processes of a street by name."""
    workers = {f"worker {number}": worker.pid for number, worker in enumerate(street.workers)}
    return workers | {"kafka": street.kafka.pid, "store": street.store.pid}


@contextmanager
def watched(street: Street, capacity: int) -> Iterator[Watch]:
    """Audit the answers of a street in a process of its own."""
    context, worker = get_context("spawn"), street.workers[0]
    ours, theirs = context.Pipe()
    arguments = (worker.bootstrap_servers, worker.output, worker.dead_letters, capacity, theirs)
    process = context.Process(target=audit, args=arguments, daemon=True)
    process.start()
    try:
        yield Watch(street, ours)
    finally:
        process.kill()
        process.join()
