"""What the service counts, for Prometheus, and whether it is well; both over HTTP."""

import collections
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from wsgiref.simple_server import WSGIServer

import numpy as np
from numpy.typing import ArrayLike
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from broker_classifier.service.begun_objects import BegunObjects
from broker_classifier.service.collectors import BatchHistogram, CountsCollector
from broker_classifier.service.triage import Outcome
from broker_classifier.streams.health_server import serve_health

HEALTHY_S = 300.0
KAFKA_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
OBSERVATION_LATENCY_S = (10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400, 604800)


@dataclass
class Metrics:
    """The counters of one service; received = the sum over all outcomes, after every batch.

    Attributes
    ----------
    fallbacks : Counter
        By survey, the records that fastavro read; the decoders count them.
    n_begun_anew : int
        Objects that the store did not know, though they had been detected before.
    """

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    fallbacks: collections.Counter[str] = field(default_factory=collections.Counter)
    waiting_for: str | None = None
    _why: str = ""
    _waiting_since: str = ""
    n_begun_anew: int = 0
    _loss: str = ""
    _connections: dict[str, bool] = field(default_factory=dict)
    _lags: dict[str, int] = field(default_factory=dict)
    _last_beat: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        def counter(name: str, text: str, labels: Iterable[str] = ()) -> Counter:
            return Counter(f"broker_{name}", text, labels, registry=self.registry)

        self._received = counter("alerts_received", "Alerts read from the input topics.")
        self._outcomes = counter("alerts", "Alerts by what became of them.", ["outcome"])
        self._declined = counter("alerts_declined_reason", "Declined alerts.", ["reason"])
        self._dead = counter("dead_letters_reason", "Dead letters by kind of error.", ["reason"])
        self._revised = counter("revisions", "Answers published again because of late points.")
        labels = ["bundle", "topic", "revised"]
        self._answers = counter("answers", "Published answers of each bundle.", labels)
        self._retries = counter("retries", "Steps tried again.", ["waiting_for"])
        self._conflicts = counter("conflicts", "Objects worked out again: another was faster.")
        self._starts_over = counter("starts_over", "Times that what was under way was dropped.")
        self._pruned = counter("objects_pruned", "Objects forgotten after the retention time.")
        text = "Objects that the store did not know, by what their first packets had before them."
        self._begun = counter("objects_begun", text, ["history"])
        self._losses = counter("store_losses", "Times that the store had lost objects.")

        def gauge(name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
            return Gauge(f"broker_{name}", text, labels, registry=self.registry)

        self._connected = gauge("input_connected", "1 while its Kafka answers.", ["stream"])
        self._lag = gauge("input_lag", "Alerts that wait in the input topics.", ["stream"])
        self._objects = gauge("objects", "Objects in the store.")
        text = "Records whose schema could not be compiled, so that fastavro read them."
        fallbacks = CountsCollector("broker_fastavro_records", text, "survey", self.fallbacks)
        self.registry.register(fallbacks)
        self._kafka = self._histogram("kafka_latency", "alert's Kafka timestamp", KAFKA_LATENCY_S)
        self._observed = self._histogram("latency", "observation", OBSERVATION_LATENCY_S)
        self._batch = Histogram("broker_batch_seconds", "Batch time.", registry=self.registry)
        for outcome in Outcome:
            self._outcomes.labels(outcome)
        self.count_begun(BegunObjects(0, 0))

    def _histogram(self, name: str, since: str, bounds: Sequence[float]) -> BatchHistogram:
        text = f"Seconds from the {since} to the published classification."
        histogram = BatchHistogram(f"broker_{name}_seconds", text, bounds)
        self.registry.register(histogram)
        return histogram

    def count_batch(self, outcomes: dict[Outcome, int], seconds: float) -> None:
        """Count a batch that is stored and published; every received alert has one outcome."""
        self._received.inc(sum(outcomes.values()))
        for outcome, count in outcomes.items():
            self._outcomes.labels(outcome).inc(count)
        self._batch.observe(seconds)

    def count_declined(self, reason: str) -> None:
        """Count one declined alert under its reason."""
        self._declined.labels(reason).inc()

    def count_dead_letter(self, reason: str) -> None:
        """Count one dead letter under the name of its error."""
        self._dead.labels(reason).inc()

    def count_latencies(self, since_kafka_s: ArrayLike, since_observation_s: ArrayLike) -> None:
        """Note how long published classifications took; Kafka may not have given every time.

        What took less than no time, by clocks that do not agree, counts as 0: a sum never falls.
        """
        self._kafka.observe(np.maximum(since_kafka_s, 0.0))
        self._observed.observe(np.maximum(since_observation_s, 0.0))

    def count_answers(self, bundle: str, topic: str, n_first: int, n_revised: int) -> None:
        """Count what a bundle was published to say: first answers, and answers again."""
        self._answers.labels(bundle, topic, "false").inc(n_first)
        self._answers.labels(bundle, topic, "true").inc(n_revised)
        self._revised.inc(n_revised)

    def count_conflicts(self, n_objects: int) -> None:
        """Count objects that were worked out again because another worker was faster."""
        self._conflicts.inc(n_objects)

    def count_start_over(self) -> None:
        """Count one time that what was under way was dropped, to be read again."""
        self._starts_over.inc()

    def count_pruned(self, n_pruned: int) -> None:
        """Count forgotten objects."""
        self._pruned.inc(n_pruned)

    def count_begun(self, begun: BegunObjects) -> None:
        """Count objects that the store did not know."""
        self._begun.labels("none").inc(begun.with_alert)
        self._begun.labels("detections").inc(begun.with_history)
        self.n_begun_anew += begun.with_history

    def count_loss(self, n_before: int, n_now: int) -> None:
        """Note that the store has lost objects."""
        self._losses.inc()
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        self._loss = f"the store lost {n_before - n_now} of {n_before} objects at {moment}"

    def count_objects(self, n_objects: int) -> None:
        """Note how many objects there are now."""
        self._objects.set(n_objects)

    def count_retry(self, waiting_for: str) -> None:
        """Count one step that is tried again."""
        self._retries.labels(waiting_for).inc()

    def beat(self, waiting_for: str | None = None, why: str = "") -> None:
        """Note that the loop runs; `waiting_for` names what it waits for, if anything, and why."""
        self._last_beat = time.monotonic()
        if waiting_for != self.waiting_for:
            self._waiting_since = datetime.now(UTC).isoformat(timespec="seconds")
        self.waiting_for, self._why = waiting_for, why

    def note_inputs(self, connections: Mapping[str, bool], lags: Mapping[str, int]) -> None:
        """Note which streams answer, and how many alerts of each wait to be read."""
        if lags != self._lags:
            self._lags = dict(lags)
            for stream, lag in lags.items():
                self._lag.labels(stream).set(lag)
        if connections != self._connections:
            self._connections = dict(connections)
            for stream, is_up in connections.items():
                self._connected.labels(stream).set(is_up)

    def totals(self) -> dict[str, int]:
        """Return the accounting so far: received, and how many alerts met which outcome."""

        def total(name: str, **labels: str) -> int:
            return int(self.registry.get_sample_value(f"broker_{name}_total", labels) or 0)

        outcomes = {str(outcome): total("alerts", outcome=outcome) for outcome in Outcome}
        return {"received": total("alerts_received")} | outcomes

    def reasons(self) -> dict[str, int]:
        """Return how many alerts were declined for which reason so far."""
        samples = (sample for metric in self._declined.collect() for sample in metric.samples)
        totals = (sample for sample in samples if sample.name.endswith("_total"))
        return {sample.labels["reason"]: int(sample.value) for sample in totals}

    def health(self) -> tuple[bool, str]:
        """Tell whether the loop runs and reaches all it needs, with a sentence."""
        silent_s = time.monotonic() - self._last_beat
        if silent_s > HEALTHY_S:
            return False, f"the loop has been silent for {silent_s:.0f} s"
        if self.waiting_for:
            why = f": {self._why}" if self._why else ""
            return False, f"waiting for the {self.waiting_for} since {self._waiting_since}{why}"
        away = [stream for stream, is_up in self._connections.items() if not is_up]
        remarks = [f"without {', '.join(away)}: their Kafka is away"] if away else []
        return True, "; ".join(["ok", *remarks, *filter(None, [self._loss])])


def serve_metrics(metrics: Metrics, host: str, port: int) -> WSGIServer:
    """Answer /metrics and /health on a thread; `server_port` tells the port, `shutdown` ends it.

    Raises
    ------
    ConfigError
        If the port is taken.
    """
    return serve_health(metrics.registry, metrics.health, host, port, "metrics.port")
