"""A Kafka, a store and workers in one process, stepped by a seeded scheduler: the same seed, the
same history.

Every worker is the real loop on a thread of its own. It runs only when the scheduler lets it, from
one call of source, sink or store to the next. In between, other workers run, or die, or lose their
partitions without knowing, or the store crashes.
"""

import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from broker_classifier.errors import (
    InputLostError,
    OutputUnavailableError,
    StartOverError,
)
from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from broker_classifier.streams.message import Message, Outgoing
from tests.service.stepped_store import SteppedStore
from tests.service.stepped_thread import SteppedThread
from tests.streets import street

PARTITIONS = (0, 1, 2)
MOST_TROUBLES = 6
MOST_STEPS = 20_000  # by far more than any history takes; its end shows as answers that are missing


class Rules(NamedTuple):
    """What the simulated surroundings guarantee, each to be left out in turn."""

    exactly_once: bool = False
    compare_and_set: bool = True
    disk: bool = True


class World:
    """The topic, its group, the outputs and the store's disk; and the dice.

    Parameters
    ----------
    seed : int
    rules : Rules
    topic : list of list of bytes
        The messages of every partition.
    options : mapping
        Of `streets.street`.
    """

    def __init__(
        self, seed: int, rules: Rules, topic: list[list[bytes]], options: Mapping[str, Any]
    ) -> None:
        self.rng, self.rules, self.topic, self.options = random.Random(seed), rules, topic, options
        self.troubles = self.rng.randint(0, MOST_TROUBLES)
        self.committed = [0] * len(topic)
        self.generation, self.clock_s = 0, 1.7e9
        self.output: list[Outgoing] = []
        self.store, self.on_disk, self.store_epoch = MemoryStore(), MemoryStore(), 0
        self.living: list[Worker] = []
        self.zombies: list[Worker] = []
        self.trace: list[str] = []

    def play(self) -> "World":
        """Run until all is committed and everybody has stopped."""
        self._take_over([])
        for _ in range(MOST_STEPS):
            if self._is_done():
                break
            self._trouble()
            crew = self.living if not self.zombies or self.rng.random() < 0.8 else self.zombies
            worker = self.rng.choice(crew)
            worker.thread.go()
            if worker.thread.is_over:
                crew.remove(worker)
                if crew is self.living:
                    self._take_over(self.living)
        for worker in self.living + self.zombies:
            worker.stop.set()
            while not worker.thread.is_over:
                worker.thread.go()
        return self

    def _is_done(self) -> bool:
        return all(
            done == len(values) for done, values in zip(self.committed, self.topic, strict=True)
        )

    def _trouble(self) -> None:
        if not self.troubles or self.rng.random() > 0.03:
            return
        self.troubles -= 1
        self.rng.choice(
            [self._crash, self._pause, self._join, self._crash_store, self._set_clock]
        )()

    def _crash(self) -> None:
        dead = self.living.pop(self.rng.randrange(len(self.living)))
        self.note("crash", dead)
        dead.thread.end()
        self._take_over(self.living)

    def _pause(self) -> None:
        """A worker sleeps past its session: its partitions go to others, and it knows nothing."""
        asleep = self.living.pop(self.rng.randrange(len(self.living)))
        self.note("pause", asleep)
        self.zombies.append(asleep)
        self._take_over(self.living)

    def _join(self) -> None:
        self.note("join")
        self._take_over(self.living)

    def _crash_store(self) -> None:
        self.note("store crashes")
        self.store._records = dict(self.on_disk._records)
        self.store_epoch += 1

    def _set_clock(self) -> None:
        self.clock_s += self.rng.choice([-3600.0, 60.0])

    def _take_over(self, staying: Sequence["Worker"]) -> None:
        """Share the partitions anew among those who stay and, most often, a new worker."""
        self.generation += 1
        self.living = list(staying)
        if not staying or self.rng.random() < 0.7:
            self.living.append(Worker(self, self.generation))
        for number, worker in enumerate(self.living):
            share = [p for p in PARTITIONS if p % len(self.living) == number]
            worker.assign(self.generation, share)

    def commit(self, messages: Iterable[Message]) -> None:
        """Move the committed offsets behind these messages."""
        for message in messages:
            behind = message.offset + 1
            self.committed[message.partition] = max(behind, self.committed[message.partition])

    def note(self, what: str, worker: "Worker | None" = None) -> None:
        """Write down one event for who replays the history."""
        self.trace.append(f"{what} {worker.number if worker else ''}")


class Worker:
    """One process of the service: its source, its sink, its way to the store, and its thread."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.stop = threading.Event()
        self.generation = 0
        self.position: dict[int, int] = {}
        self.first_open: dict[int, int] = {}
        self.news: tuple[int, list[int]] | None = None
        self.pending: list[Outgoing] = []
        self.consumed: Sequence[Message] = ()
        self.uncommitted: list[Message] = []
        service = street(self, self, SteppedStore(self, world), retry_delay_s=0.0, **world.options)
        self.thread = SteppedThread(lambda: run(service, self.stop))

    def assign(self, generation: int, share: list[int]) -> None:
        """Tell the worker its share; it knows with its next poll."""
        self.news = generation, share

    def step(self, what: str) -> None:
        """Let others run, then say whether this call fails."""
        self.thread.step()
        self.world.note(what, self)

    def fails(self) -> bool:
        return bool(self.world.troubles) and self.world.rng.random() < 0.02

    # As a source.

    is_connected, is_exhausted = True, False
    connections: ClassVar[dict[str, bool]] = {}
    lags: ClassVar[dict[str, int]] = {}
    address = "a list"

    def poll(self, *, wait: bool = True) -> list[Message]:
        self.step("poll")
        if self.news:
            self._join_generation(*self.news)
        self._commit_again()
        rng, topic, messages = self.world.rng, self.world.topic, []
        for p in self.position:
            first = self.position[p]
            values = topic[p][first : first + rng.randint(0, 3)]
            self.position[p] += len(values)
            self.first_open.setdefault(p, first)
            messages += [
                Message(value, "ztf_test", p, first + i, None, "ztf")
                for i, value in enumerate(values)
            ]
        return messages

    def _join_generation(self, generation: int, share: list[int]) -> None:
        lost = {p for p, first in self.first_open.items() if p not in share}
        was_open = any(self.position[p] > self.first_open[p] for p in lost)
        self.generation, self.news = generation, None
        self.position = {p: self.position.get(p, self.world.committed[p]) for p in share}
        self.first_open = {p: first for p, first in self.first_open.items() if p in share}
        if was_open:
            msg = "partitions moved"
            raise StartOverError(msg)

    def rewind(self) -> None:
        self.position |= self.first_open

    def commit(self, messages: Sequence[Message]) -> None:
        self.step("commit")
        for message in messages:
            if message.partition in self.first_open:
                self.first_open[message.partition] = message.offset + 1
        if not self.world.rules.exactly_once:
            self.uncommitted += messages
            self._commit_again()

    def _commit_again(self) -> None:
        """Commit what is done; Kafka refuses it from whoever missed a rebalance."""
        if self.generation == self.world.generation:
            self.world.commit(m for m in self.uncommitted if m.partition in self.first_open)
            self.uncommitted = []

    # As a sink.

    def send(self, messages: Iterable[Outgoing], consumed: Sequence[Message]) -> None:
        self.step("send")
        self.pending, self.consumed = list(messages), consumed

    def confirm(self) -> None:
        if self.world.rules.exactly_once:
            return self._commit_transaction()
        for message in self.pending:
            self.step("publish")
            if self.fails():
                msg = "down"
                raise OutputUnavailableError(msg)
            self.world.output.append(message)
        self.pending = []

    def _commit_transaction(self) -> None:
        self.step("commit transaction")
        if self.fails():
            msg = "aborted"
            raise StartOverError(msg)
        if self.generation != self.world.generation:
            if self.news:  # it is a member still, and will know with its next poll
                msg = "fenced by a rebalance"
                raise StartOverError(msg)
            raise InputLostError
        self.world.output += self.pending
        self.world.commit(self.consumed)
        self.pending = []

    def abandon(self) -> None:
        self.pending = []

    def close(self) -> None:
        pass
