"""Send what waits in the outbox, within the budget, whatever Lasair answers.

    due ─► batch ─► call ─┬─ accepted ─► sent; batches grow back to their full size
                          ├─ refused ──► halve, down to the annotation at fault ─► dead letter
                          ├─ failed ───► smaller batches, a pause; one alone: put it off
                          ├─ away, throttled ─► a pause that doubles
                          └─ barred ───► a long pause: the token or the annotator is at fault

A batch that is refused may have been taken in part: Lasair goes through a list one by one. To send
an annotation again does no harm, as the latest of an object stands.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker_classifier.lasair.annotation.limits import violations
from broker_classifier.lasair.annotation.write_annotation import Annotation
from broker_classifier.lasair.sending.budget import Budget
from broker_classifier.lasair.sending.client import Outcome, Reply
from broker_classifier.lasair.sending.metrics import AnnotateMetrics
from broker_classifier.lasair.sending.outbox import LONGEST_PUT_OFF_S, Outbox
from broker_classifier.lasair.sending.outbox_rows import Item
from broker_classifier.logs import get_logger

IDLE_S = 1.0
LINGER_S = 0.5  # what is published together arrives within this
FIRST_PAUSE_S = {Outcome.AWAY: 2.0, Outcome.FAILED: 2.0, Outcome.THROTTLED: 60.0}
LONGEST_PAUSE_S = {Outcome.AWAY: 300.0, Outcome.FAILED: 300.0, Outcome.THROTTLED: 900.0}
BARRED_PAUSE_S = 600.0
PUT_OFF_S = 60.0
MOST_REFUSALS_AT_ONCE = 12  # a batch of 1000 is halved ten times
FAILURES_OF_ITS_OWN = 3
MOST_FAILURES = 5
GROWTH = 4
N_SIGNS_OF_AN_OUTAGE = 3

_ABOUT_THE_BATCH = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.FAILED)

log = get_logger()


class Annotator(Protocol):
    """Where annotations go."""

    def send(self, annotations: Sequence[Annotation]) -> Reply:
        """Send a batch in one call."""


@dataclass
class Sender:
    """Sends to one Lasair.

    Parameters
    ----------
    survey : str
        Whose Lasair.
    outbox : Outbox
    annotator : Annotator
    budget : Budget
    batch_size : int
    metrics : AnnotateMetrics
    clock : callable
        Unix time, s.
    """

    survey: str
    outbox: Outbox
    annotator: Annotator
    budget: Budget
    batch_size: int
    metrics: AnnotateMetrics = field(default_factory=AnnotateMetrics)
    clock: Callable[[], float] = time.time
    _size: int = field(init=False)
    _suspects: list[list[str]] = field(init=False, default_factory=list)
    _doubted_at: dict[str, float] = field(init=False, default_factory=dict)
    _accused: dict[str, tuple[Item, Reply]] = field(init=False, default_factory=dict)
    _n_refusals: int = field(init=False, default=0)
    _accepted_at: float = field(init=False, default=-float("inf"))
    _paused_at: float = field(init=False, default=-float("inf"))
    _resume_at: float = field(init=False, default=-float("inf"))
    _pause_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._size = self.batch_size

    def step(self) -> float:
        """Make the next call, if it is time for one; return how long to wait for the next step, s.

        Raises
        ------
        StoreUnavailableError
            If the outbox cannot be read or written.
        """
        now = self.clock()
        if self._paused_at <= now < self._resume_at:  # a clock that is set back ends the pause
            return self._resume_at - now
        items = self._next_batch(now)
        wait_s = self._wait_s(items, now) if items else IDLE_S
        if wait_s > 0:
            return wait_s
        suspects = self._suspects.pop() if self._suspects else []
        self.outbox.note_call(self.survey, now)
        reply = self.annotator.send([item.annotation for item in items])
        if suspects and reply.outcome not in _ABOUT_THE_BATCH:
            self._suspects.append(suspects)
        self._heed(reply, items)
        return 0.0

    def _next_batch(self, now: float) -> list[Item]:
        while self._suspects:
            if items := self._clean(self.outbox.items(self.survey, self._suspects[-1])):
                return items
            self._suspects.pop()
        return self._clean(self.outbox.due(self.survey, now, self._size))

    def _clean(self, items: Sequence[Item]) -> list[Item]:
        """Move what may never leave to the dead letters; return the rest."""
        clean = []
        for item in items:
            if wrong := violations(item.annotation, self.survey):
                self._bury(item, f"never sent: {'; '.join(wrong)}")
            else:
                clean.append(item)
        return clean

    def _wait_s(self, items: Sequence[Item], now: float) -> float:
        calls = self.outbox.calls(self.survey, now)
        is_full = len(items) >= self._size or bool(self._suspects)
        wait_s = self.budget.wait_s(calls, now, is_full=is_full)
        self.metrics.held_back[self.survey] = wait_s > 0
        if is_full:
            return wait_s
        waited_s = now - min(item.since for item in items)
        is_lingering = 0.0 <= waited_s < LINGER_S  # below 0 after the clock was set back
        return max(wait_s, LINGER_S - waited_s if is_lingering else 0.0)

    def _heed(self, reply: Reply, items: Sequence[Item]) -> None:
        outcome = reply.outcome
        self.metrics.calls.labels(self.survey, outcome.value).inc()
        if outcome is Outcome.ACCEPTED:
            self._accept(items)
            return
        log.warning(
            "lasair took no annotations",
            survey=self.survey,
            outcome=outcome.value,
            n_annotations=len(items),
            words=reply.words,
        )
        if outcome is Outcome.REFUSED:
            self._halve(items, reply)
        else:
            self.metrics.note(f"Lasair of {self.survey}", f"{outcome.value}: {reply.words}")
        if outcome is Outcome.FAILED:
            self._shrink(items, reply)
        if outcome is Outcome.BARRED:
            self._rest(BARRED_PAUSE_S)
        elif outcome in FIRST_PAUSE_S:
            self._pause(outcome)

    def _accept(self, items: Sequence[Item]) -> None:
        now = self.clock()
        self.outbox.accepted(self.survey, items, now)
        self.metrics.annotations.labels(self.survey, "accepted").inc(len(items))
        for item in items:
            self.metrics.delay.labels(self.survey).observe(max(0.0, now - item.queued_at))
            self._doubted_at.pop(item.object_id, None)
            self._accused.pop(item.object_id, None)
        self.metrics.note(f"Lasair of {self.survey}", None)
        self._judge()
        self._n_refusals, self._pause_s, self._accepted_at = 0, 0.0, now
        self._size = min(self.batch_size, self._size * GROWTH)

    def _halve(self, items: Sequence[Item], reply: Reply) -> None:
        self._n_refusals += 1
        now, ids = self.clock(), [item.object_id for item in items]
        for object_id in ids:
            self._doubted_at.setdefault(object_id, now)
        if len(items) == 1:
            self._blame(items[0], reply)
        else:
            half = (len(ids) + 1) // 2
            self._suspects += [ids[half:], ids[:half]]
        if self._n_refusals > MOST_REFUSALS_AT_ONCE:
            self._pause(Outcome.FAILED)

    def _shrink(self, items: Sequence[Item], reply: Reply) -> None:
        self._size = max(1, len(items) // 2)
        if len(items) == 1:
            self._doubted_at.setdefault(items[0].object_id, self.clock())
            self._blame(items[0], reply)

    def _blame(self, item: Item, reply: Reply) -> None:
        """Give up, or accuse, one annotation that Lasair does not take alone.

        That it takes others since is the proof that the annotation is at fault, and not Lasair.
        """
        n_failures, is_refused = item.n_failures + 1, reply.outcome is Outcome.REFUSED
        takes_others = self._accepted_at >= self._doubted_at[item.object_id]
        needed = 1 if is_refused else FAILURES_OF_ITS_OWN
        if (
            reply.is_certain
            or (takes_others and n_failures >= needed)
            or (is_refused and n_failures >= MOST_FAILURES)
        ):
            self._bury(item, reply.words)
            return
        pause_s = min(LONGEST_PUT_OFF_S, PUT_OFF_S * 2**item.n_failures)
        self.outbox.put_off(item, self.clock() + pause_s)
        self._accused[item.object_id] = item, reply

    def _judge(self) -> None:
        """Decide, as Lasair takes others, on those that were accused before."""
        if len(self._accused) >= N_SIGNS_OF_AN_OUTAGE:
            self.outbox.take_up(self.survey, self._accused)
        else:
            for item, reply in self._accused.values():
                if reply.outcome is Outcome.REFUSED:
                    self._bury(item, reply.words)
        self._accused = {}

    def _bury(self, item: Item, words: str) -> None:
        log.error("annotation refused", survey=self.survey, object_id=item.object_id, words=words)
        self.outbox.refused(self.survey, item, words, self.clock())
        self.metrics.annotations.labels(self.survey, "refused").inc()
        self._doubted_at.pop(item.object_id, None)

    def _pause(self, outcome: Outcome) -> None:
        longer_s = max(FIRST_PAUSE_S[outcome], 2 * self._pause_s)
        self._pause_s = min(LONGEST_PAUSE_S[outcome], longer_s)
        self._rest(self._pause_s * random.uniform(0.8, 1.2))

    def _rest(self, pause_s: float) -> None:
        self._paused_at = self.clock()
        self._resume_at = self._paused_at + pause_s
