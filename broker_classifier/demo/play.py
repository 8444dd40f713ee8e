"""The demo's loop: send what is due, receive what is published, keep the books, show them."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.demo.alerts import DemoAlert
from broker_classifier.demo.ledger import Ledger
from broker_classifier.demo.service_process import ServiceProcess
from broker_classifier.errors import SetupError
from broker_classifier.streams.classification import parse
from broker_classifier.streams.embedded_kafka import BYTES_KEPT_PER_PARTITION
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Outgoing, Sink, Source

ALERT_TOPIC = "ztf_demo"
FEWEST_ALERTS_PER_S = 5.0
MOST_IN_FLIGHT = 32  # answers repeat the whole light curve; all of them must fit one partition
_SCRAPE_INTERVAL_S = 0.25
_START_INTERVAL_S, _START_TIMEOUT_S = 0.1, 180.0
STALL_S = 30.0


class View(Protocol):
    """How the demo shows itself."""

    def show(self, playing: "Playing") -> None:
        """Show the present state; called many times a second."""


@dataclass
class Playing:
    """The state of a demo under way.

    Attributes
    ----------
    alerts : sequence of DemoAlert
        All that will be sent, in order.
    started, first_answer_s : float
        Monotonic time of the demo's start; seconds from there to the first probability.
    page : callable
        Tells the address of the live page; None as long as it has none.
    """

    alerts: Sequence[DemoAlert]
    started: float
    ledger: Ledger = field(default_factory=Ledger)
    first_answer_s: float | None = None
    page: Callable[[], str | None] = lambda: None

    @property
    def is_over(self) -> bool:
        """Whether everything was sent, and is accounted for by the service and the subscriber."""
        n_sent, n_received = len(self.ledger.sent), self.ledger.totals.get("received", 0)
        return n_sent == len(self.alerts) <= n_received and self.ledger.n_in_flight <= 0


def play(
    playing: Playing, kafka: KafkaSettings, service: ServiceProcess, view: View, seconds: float
) -> None:
    """Send all alerts within about `seconds`, and wait until each is accounted for.

    Gives up when nothing has moved for 30 s; the proof then says what is missing.

    Raises
    ------
    SetupError
        If the service does not start, or ends.
    """
    ledger, last_scrape = playing.ledger, 0.0
    sink = KafkaSink(kafka)
    send = sender(playing, sink, seconds)
    with closing(sink), closing(KafkaSource(kafka, {"ztf": [kafka.output_topic]})) as source:
        wait_until_ready(playing, service, view)
        last_move, seen = time.monotonic(), (0, 0)
        while not playing.is_over and time.monotonic() - last_move < _patience_s(ledger):
            send()
            receive(playing, source)
            if time.monotonic() - last_scrape > _SCRAPE_INTERVAL_S:
                if accounting := service.accounting():
                    ledger.totals, ledger.declined = accounting
                last_scrape = time.monotonic()
            if (len(ledger.sent), ledger.n_in_flight) != seen:
                seen = len(ledger.sent), ledger.n_in_flight
                last_move = time.monotonic()
            view.show(playing)


def _patience_s(ledger: Ledger) -> float:
    """Say how long nothing may move: longer before the first answer, which may wait for numba."""
    return STALL_S if ledger.answers else _START_TIMEOUT_S


def wait_until_ready(playing: Playing, service: ServiceProcess, view: View) -> None:
    """Wait until the service has loaded its model and answers.

    Raises
    ------
    SetupError
        If it ends, or takes more than three minutes.
    """
    while not (accounting := service.accounting()):
        if time.monotonic() - playing.started > _START_TIMEOUT_S:
            msg = f"the service did not answer within {_START_TIMEOUT_S:.0f} s of the start"
            raise SetupError(msg)
        view.show(playing)
        time.sleep(_START_INTERVAL_S)
    playing.ledger.totals, playing.ledger.declined = accounting


def sender(playing: Playing, sink: Sink, seconds: float) -> Callable[[], None]:
    """Return the function that sends what is due.

    It never lets more be in flight than the embedded Kafka keeps, and sends one alert alone first:
    the clock runs from the first answer on.
    """
    alerts, ledger = playing.alerts, playing.ledger
    rate = max(FEWEST_ALERTS_PER_S, len(alerts) / seconds)
    largest = max((len(alert.message) for alert in alerts), default=1)
    most = max(1, min(MOST_IN_FLIGHT, BYTES_KEPT_PER_PARTITION // 2 // largest))
    clock_start: float | None = None

    def send() -> None:
        nonlocal clock_start
        if clock_start is None and ledger.sent and ledger.n_in_flight == 0:
            clock_start = time.monotonic()
        n_due = 1 if clock_start is None else int(1 + rate * (time.monotonic() - clock_start))
        n_now = min(n_due - len(ledger.sent), most - ledger.n_in_flight)
        batch = alerts[len(ledger.sent) : len(ledger.sent) + max(0, n_now)]
        sink.send([Outgoing(ALERT_TOPIC, None, alert.message) for alert in batch], ())
        sink.confirm()
        ledger.sent.extend(batch)

    return send


def receive(playing: Playing, source: Source) -> None:
    """Enter what has been published since the last call."""
    for message in source.poll():
        published_s = message.timestamp_ms / 1000.0 if message.timestamp_ms else None
        playing.ledger.receive(parse(message.value), published_s)
        if playing.first_answer_s is None:
            playing.first_answer_s = time.monotonic() - playing.started
