"""Everything that alerts pass on their way, opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from broker_classifier.config.rules import Rules
from broker_classifier.service.metrics import Metrics
from broker_classifier.service.receive import ReceiveRules
from broker_classifier.service.served_bundles import Served
from broker_classifier.store import LightCurveStore
from broker_classifier.streams.message import Sink, Source
from broker_classifier.surveys.alert import Decoder


@dataclass(frozen=True)
class Service:
    """Everything that alerts pass on their way, opened.

    Attributes
    ----------
    decoders : mapping of str to Decoder
        The decoder of every stream.
    bundles : mapping of str to sequence of ServedBundle
        The bundles of every survey that has some; alerts of others are declined.
    declined_topic : str or None
        Where declined alerts are told with their reasons, if anywhere.
    retention_s, prune_interval_s : float
        How long an object without alerts is kept, and how often that is checked.
    history_days, exclusions : mapping of str to float, mapping of str to Rules
        See `ReceiveRules`.
    """

    source: Source
    sink: Sink
    store: LightCurveStore
    decoders: Mapping[str, Decoder]
    bundles: Served
    metrics: Metrics
    dead_letter_topic: str
    declined_topic: str | None = None
    retry_delay_s: float = 1.0
    retention_s: float = float("inf")
    prune_interval_s: float = 3600.0
    history_days: Mapping[str, float] = field(default_factory=dict)
    exclusions: Mapping[str, Rules] = field(default_factory=dict)

    @cached_property
    def state_keys(self) -> frozenset[int]:
        """Whose encoder states are kept: of all bundles."""
        served = (served for of_survey in self.bundles.values() for served in of_survey)
        return frozenset(each.bundle.state_key for each in served)

    @property
    def rules(self) -> ReceiveRules:
        """How its messages are read."""
        answerable = frozenset(self.bundles)
        return ReceiveRules(self.decoders, self.history_days, answerable, self.exclusions)
