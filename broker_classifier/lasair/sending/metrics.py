"""What the annotator counts, for Prometheus, and whether it is well."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.lasair.sending.outbox import Outbox

SILENT_S = 300.0
DELAY_S = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400, 604800)


@dataclass
class AnnotateMetrics:
    """The counters of one annotator process.

    Attributes
    ----------
    registry : CollectorRegistry
    troubles : dict of str to str
        What stands in the way, by what it stands in the way of; empty where all is well.
    held_back : dict of str to bool
        Whether annotations wait for the hour's budget, by survey.
    """

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    troubles: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, bool] = field(default_factory=dict)
    _last_beat: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        def counter(name: str, text: str, labels: Sequence[str]) -> Counter:
            return Counter(f"broker_{name}", text, labels, registry=self.registry)

        self.messages = counter(
            "annotate_messages",
            "Messages read from the topic, by what became of them.",
            ["outcome"],
        )
        self.annotations = counter(
            "annotations",
            "Annotations queued, coalesced, accepted, refused.",
            ["survey", "outcome"],
        )
        self.calls = counter("annotate_calls", "Calls of Lasair.", ["survey", "outcome"])
        self.delay = Histogram(
            "broker_annotation_delay_seconds",
            "From a classification to its annotation's acceptance.",
            ["survey"],
            buckets=DELAY_S,
            registry=self.registry,
        )

    def beat(self) -> None:
        """Note that the reader of the topic runs."""
        self._last_beat = time.monotonic()

    def note(self, part: str, trouble: str | None) -> None:
        """Note what stands in the way of a part, or that nothing does."""
        if trouble:
            self.troubles[part] = trouble
        else:
            self.troubles.pop(part, None)

    def health(self) -> tuple[bool, str]:
        """Tell whether all that is waited for comes, with a sentence."""
        silent_s = time.monotonic() - self._last_beat
        if silent_s > SILENT_S:
            return False, f"the reader has been silent for {silent_s:.0f} s"
        troubles = dict(self.troubles)
        if troubles:
            return False, "; ".join(f"{part}: {trouble}" for part, trouble in troubles.items())
        return True, "ok"


class OutboxCollector(Collector):
    """Reads the outbox when Prometheus asks, so that what it shows is never old.

    Parameters
    ----------
    open_outbox : callable
        Opens it; a scrape has a thread of its own.
    calls_per_hour : dict of str to int
        By survey.
    metrics : AnnotateMetrics
    """

    def __init__(
        self,
        open_outbox: Callable[[], Outbox],
        calls_per_hour: dict[str, int],
        metrics: AnnotateMetrics,
    ) -> None:
        self._open_outbox = open_outbox
        self._calls_per_hour = calls_per_hour
        self._metrics = metrics

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: the registry then does not read the outbox to find out."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the outbox's depth and age, its dead letters, and the calls left."""
        try:
            with closing(self._open_outbox()) as outbox:
                gauges = self._gauges(outbox)
        except StoreUnavailableError:
            return
        yield from gauges

    def _gauges(self, outbox: Outbox) -> list[Metric]:
        def gauge(name: str, text: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"broker_annotate_{name}", text, labels=["survey"])

        waiting = gauge("outbox", "Annotations that wait.")
        age = gauge("outbox_age_seconds", "How long the oldest of them has waited.")
        held = gauge("held_back", "Annotations that wait for the hour's budget.")
        dead = gauge("dead_letters", "Annotations that Lasair refused, and that are kept.")
        left = gauge("calls_left", "Calls that the hour still allows.")
        for survey, allowed in self._calls_per_hour.items():
            now = time.time()
            depth = outbox.depth(survey, now)
            waiting.add_metric([survey], depth.n_waiting)
            age.add_metric([survey], depth.age_s)
            is_held = self._metrics.held_back.get(survey, False)
            held.add_metric([survey], depth.n_waiting if is_held else 0)
            dead.add_metric([survey], depth.n_dead_letters)
            left.add_metric([survey], max(0, allowed - len(outbox.calls(survey, now))))
        return [waiting, age, held, dead, left]
