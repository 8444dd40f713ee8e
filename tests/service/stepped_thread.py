"""A thread that takes one step whenever its scheduler says so."""

import threading
from collections.abc import Callable

from broker_classifier.errors import InputLostError
from tests.streets import Crash


class SteppedThread:
    """A worker's thread, which runs only between two calls of `go`."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.is_dead = self.is_over = False
        self._work = work
        self._turn, self._scheduler = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def _live(self) -> None:
        self._turn.acquire()
        try:
            if not self.is_dead:
                self._work()
        except (Crash, InputLostError):
            pass
        finally:
            self.is_over = True
            self._scheduler.release()

    def go(self) -> None:
        """Let the worker run to its next step; called by the scheduler."""
        self._turn.release()
        self._scheduler.acquire()

    def step(self) -> None:
        """Let others run; called by the worker."""
        self._scheduler.release()
        self._turn.acquire()
        if self.is_dead:
            raise Crash

    def end(self) -> None:
        """Kill the worker at the step where it is."""
        self.is_dead = True
        while not self.is_over:
            self.go()
