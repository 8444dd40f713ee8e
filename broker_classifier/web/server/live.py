"""The live stream: what is new in the index, as server-sent events.

There is no queue for a slow browser to fill. A stream remembers the number of the answer that it
sent last, and asks the index for what came since when the browser has taken what was sent. So a
resumed stream (Last-Event-ID), a slow one and a fast one are the same.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from broker_classifier.web.index.follow import Progress

MOST_ROWS = 100
"""Rows in one event; how many more there were is said."""

INTERVAL_S = 0.25
QUIET_S = 10.0
MOST_STREAMS = 200

Rows = Callable[[int], dict[str, Any]]


class News:
    """Wakes streams when the writer's thread has something new.

    Attributes
    ----------
    n_streams : int
        Streams that are open.
    is_over : bool
        Set it, and call `notify`, to end all streams.
    """

    def __init__(self) -> None:
        self.n_streams = 0
        self.is_over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()

    def open(self) -> None:
        """Take the running loop as the one whose streams are woken."""
        self._loop = asyncio.get_running_loop()

    def notify(self) -> None:
        """Wake all streams; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return when there is something new, or after the timeout."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)


class SharedRows:
    """Rows since an answer, asked of the index once for all streams that stand at the same one."""

    def __init__(self, ask: Rows) -> None:
        self._ask = ask
        self._asked: dict[tuple[int, int], asyncio.Task[dict[str, Any]]] = {}

    async def since(self, seq: int, newest: int) -> dict[str, Any]:
        """Return the rows between two answers."""
        place = seq, newest
        if place not in self._asked:
            self._asked = {k: task for k, task in self._asked.items() if k[1] == newest}
            self._asked[place] = asyncio.create_task(asyncio.to_thread(self._ask, seq))
        return await asyncio.shield(self._asked[place])


async def events(
    news: News, progress: Progress, rows: SharedRows, last: int
) -> AsyncIterator[bytes]:
    """Write the events of one browser's stream, from the answer after `last`."""
    news.n_streams += 1
    try:
        yield b"retry: 1000\n\n" + _state(progress)
        spoken, waiting_for = time.monotonic(), progress.waiting_for
        while not news.is_over:
            newest = progress.seq
            if newest < last:  # the index has been made anew
                last = 0
            if newest > last:
                content = await rows.since(last, newest)
                last = content["seq"]
                yield _event("answers", content, last)
                spoken = time.monotonic()
                await asyncio.sleep(INTERVAL_S)
                continue
            if progress.waiting_for != waiting_for or time.monotonic() - spoken > QUIET_S:
                yield _state(progress)
                spoken, waiting_for = time.monotonic(), progress.waiting_for
            await news.wait(QUIET_S)
    finally:
        news.n_streams -= 1


def _state(progress: Progress) -> bytes:
    return _event("state", {"waiting_for": progress.waiting_for, "lag": progress.lag})


def _event(name: str, content: dict[str, Any], number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(content) + b"\n\n"
