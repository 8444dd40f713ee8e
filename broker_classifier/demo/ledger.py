"""The demo's books: what was sent, what came back, and the proof that nothing is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from broker_classifier.demo.alerts import DemoAlert
from broker_classifier.service.triage import Outcome
from broker_classifier.streams.classification import ClassificationMessage

WITHOUT_ANSWER = (Outcome.DECLINED, Outcome.WITHDRAWN, Outcome.DEAD_LETTERED)
_NAMED_MISSING = 5


@dataclass
class Ledger:
    """What was sent, what a subscriber received, and what the service says of itself.

    Attributes
    ----------
    sent : list of DemoAlert
    answers : dict of int to ClassificationMessage
        The newest answer for every alert id.
    latencies_s : list of float
        From an alert's Kafka timestamp to its first answer's.
    totals : mapping of str to int
        The service's own accounting, "received" and every outcome; empty until it answers.
    declined : mapping of str to int
        How many alerts the service declined for which reason.
    """

    sent: list[DemoAlert] = field(default_factory=list)
    answers: dict[int, ClassificationMessage] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    totals: Mapping[str, int] = field(default_factory=dict)
    declined: Mapping[str, int] = field(default_factory=dict)

    def receive(self, answer: ClassificationMessage, published_s: float | None) -> None:
        """Enter an answer with the Unix time of its Kafka message, where that is known."""
        received = answer.times.received
        if answer.alert_id not in self.answers and received and published_s:
            self.latencies_s.append(published_s - received.timestamp())
        self.answers[answer.alert_id] = answer

    @property
    def n_in_flight(self) -> int:
        """Alerts sent that have neither been answered nor otherwise accounted for."""
        return self.n_distinct - len(self.answers) - self.n_without_answer

    @property
    def n_distinct(self) -> int:
        """Alerts sent, repeats counted once, and each that cannot be read."""
        ids = [alert.alert_id for alert in self.sent]
        return len(set(ids) - {None}) + ids.count(None)

    @property
    def n_without_answer(self) -> int:
        """Alerts that the service declined, found withdrawn or could not read."""
        return sum(self.totals.get(outcome, 0) for outcome in WITHOUT_ANSWER)

    def evolution(self) -> dict[str, list[ClassificationMessage]]:
        """Return the answers of every object in the order of their alerts."""
        objects: dict[str, list[ClassificationMessage]] = {}
        for answer in sorted(self.answers.values(), key=lambda answer: answer.mjd):
            objects.setdefault(answer.object_id, []).append(answer)
        return objects

    def latency_s(self, percentile: float) -> float:
        """Return a percentile of the latencies; NaN before the first."""
        return float(np.percentile(self.latencies_s, percentile)) if self.latencies_s else np.nan


@dataclass(frozen=True)
class Check:
    """One statement of the proof, whether it holds, and its numbers."""

    statement: str
    holds: bool
    numbers: str


def proof(ledger: Ledger, n_alerts: int) -> list[Check]:
    """Check that all of `n_alerts` were sent, and each was answered or is accounted for."""
    n_sent, n_received = len(ledger.sent), ledger.totals.get("received", 0)
    n_outcomes = sum(ledger.totals.get(outcome, 0) for outcome in Outcome)
    n_classified, n_answered = ledger.totals.get(Outcome.CLASSIFIED, 0), len(ledger.answers)
    are_ours = ledger.answers.keys() <= {alert.alert_id for alert in ledger.sent}
    return [
        Check(
            "every alert was sent, and the service received it",
            n_received >= n_sent == n_alerts,
            f"{n_alerts} alerts, {n_sent} sent, {n_received} received",
        ),
        Check(
            "received is the sum of the outcomes",
            n_received == n_outcomes,
            accounting_line(ledger.totals),
        ),
        Check(
            "what it classified is what the subscriber received",
            n_classified == n_answered and are_ours,
            f"{n_classified} classified, {n_answered} received",
        ),
        Check(
            "every alert is answered, or declined, withdrawn or a dead letter",
            ledger.n_in_flight == 0,
            _unanswered(ledger),
        ),
    ]


def accounting_line(totals: Mapping[str, int]) -> str:
    """Write the accounting as one equation of the outcomes that occurred.

    >>> accounting_line({"received": 3, "classified": 2, "dead_lettered": 1})
    'received 3 = classified 2 + dead-lettered 1'
    >>> accounting_line({"received": 0})
    'received 0'
    """
    counts = {outcome.replace("_", "-"): totals.get(outcome, 0) for outcome in Outcome}
    parts = [f"{outcome} {n}" for outcome, n in counts.items() if n]
    return " = ".join(
        [f"received {totals.get('received', 0)}", *([" + ".join(parts)] if parts else [])]
    )


def declined_line(declined: Mapping[str, int]) -> str:
    """Say why alerts were declined, the most frequent reason first.

    >>> declined_line({"no_usable_points": 2, "solar_system": 5})
    'declined: 5 solar_system, 2 no_usable_points'
    """
    ranked = sorted(declined.items(), key=lambda item: -item[1])
    return "declined: " + ", ".join(f"{n} {reason}" for reason, n in ranked)


def _unanswered(ledger: Ledger) -> str:
    numbers = f"{len(ledger.answers)} + {ledger.n_without_answer} of {ledger.n_distinct}"
    if ledger.n_in_flight == 0:
        return numbers
    unanswered = [alert for alert in ledger.sent if alert.alert_id not in ledger.answers]
    names = [
        f"{alert.object_id or 'unreadable'} {alert.alert_id or ''}".strip() for alert in unanswered
    ]
    more = ["..."] if len(names) > _NAMED_MISSING else []
    return f"{numbers}; without answer: " + ", ".join(names[:_NAMED_MISSING] + more)
