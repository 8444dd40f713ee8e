"""How many calls an hour allows, and how they are spread over it.

Lasair counts the calls of the last 3600 s and refuses more without saying when to come back. The
first half of them goes at once, so that a quiet night's annotations arrive in seconds; the rest is
spread evenly, so that some are always left. A full batch never waits for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from broker_classifier.lasair.sending.outbox import HOUR_S


@dataclass(frozen=True)
class Budget:
    """Calls that an hour allows."""

    calls_per_hour: int

    def left(self, calls: Sequence[float]) -> int:
        """Return how many may still be made.

        Parameters
        ----------
        calls : sequence of float
            When those of the last hour were made, the first one first (s).
        """
        return max(0, self.calls_per_hour - len(calls))

    def wait_s(self, calls: Sequence[float], now: float, *, is_full: bool) -> float:
        """Return how long the next call has to wait, s; 0 if it need not.

        >>> Budget(4).wait_s([0.0, 10.0], 20.0, is_full=True)
        0.0
        >>> Budget(4).wait_s([0.0, 10.0], 20.0, is_full=False)
        1790.0
        >>> Budget(4).wait_s([0.0, 10.0, 20.0, 30.0], 40.0, is_full=True)
        3560.0
        """
        if not self.left(calls):
            return max(0.0, calls[len(calls) - self.calls_per_hour] + HOUR_S - now)
        n_at_once = (self.calls_per_hour + 1) // 2
        if is_full or len(calls) < n_at_once:
            return 0.0
        spacing_s = HOUR_S / (self.calls_per_hour - n_at_once)
        return max(0.0, calls[-1] + spacing_s - now)
