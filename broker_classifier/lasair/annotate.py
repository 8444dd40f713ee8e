"""`broker-classifier annotate`: one thread reads our topic, one for each Lasair sends.

classification topic ─► TopicReader ─► Intake ─► outbox (SQLite) ─┬─► Sender ─► Lasair-LSST
                                                                  └─► Sender ─► Lasair-ZTF
"""

import fcntl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Message as KafkaMessage

from broker_classifier.config import Settings
from broker_classifier.errors import ConfigError, OutputUnavailableError, StoreUnavailableError
from broker_classifier.lasair.annotators import Annotator, annotators_of
from broker_classifier.lasair.intake import Intake
from broker_classifier.lasair.sending.budget import Budget
from broker_classifier.lasair.sending.metrics import AnnotateMetrics, OutboxCollector
from broker_classifier.lasair.sending.outbox import Outbox
from broker_classifier.lasair.sending.sender import Sender
from broker_classifier.light_curve.photometry import SECONDS_PER_DAY
from broker_classifier.logs import WaitingLog, get_logger
from broker_classifier.streams.health_server import serve_health
from broker_classifier.streams.topic_reader import TopicReader

PARTITIONS_EVERY_S = 30.0
FORGET_EVERY_S = 3600.0
LONGEST_SLEEP_S = 60.0

log = get_logger()


def annotate(settings: Settings, stop: threading.Event) -> None:
    """Annotate until told to stop; return at once where no annotator has a name and a token.

    Raises
    ------
    ConfigError
        If a token cannot be read, the port is taken, or another process has the outbox.
    """
    annotators = annotators_of(settings)
    if not annotators:
        log.warning(
            "nothing is annotated: set annotate.lsst.topic or annotate.ztf.topic, and the token"
        )
        return
    metrics = AnnotateMetrics()
    with _only_process(settings.annotate.outbox):
        Outbox(settings.annotate.outbox).close()  # SQLite lets only one make the file
        calls = {name: opened.settings.calls_per_hour for name, opened in annotators.items()}
        collector = OutboxCollector(lambda: Outbox(settings.annotate.outbox), calls, metrics)
        metrics.registry.register(collector)
        where = settings.annotate.host, settings.annotate.port
        server = serve_health(metrics.registry, metrics.health, *where, "annotate.port")
        url = f"http://{settings.annotate.host}:{server.server_port}/metrics"
        log.info("annotating", surveys=sorted(annotators), metrics=url)
        try:
            with _sending(settings, annotators, metrics, stop) as wake:
                _read(settings, annotators, metrics, stop, wake)
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def _only_process(path: Path) -> Iterator[None]:
    """Keep the outbox from other processes, also from one that a supervisor starts too early."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        msg = f"another process annotates from {path}; stop it, or set annotate.outbox"
        raise ConfigError(msg) from error
    except OSError as error:
        msg = f"annotate.outbox: {path} cannot be written: {error}"
        raise ConfigError(msg) from error
    with lock:
        yield


@contextmanager
def _sending(
    settings: Settings,
    annotators: Mapping[str, Annotator],
    metrics: AnnotateMetrics,
    stop: threading.Event,
) -> Iterator[Sequence[threading.Event]]:
    """Send on a thread for every Lasair; yields the events that wake them.

    A thread that ends by an error ends the process, with that error.
    """
    wake = [threading.Event() for _ in annotators]

    def ended(_: Future[None]) -> None:
        stop.set()

    with ThreadPoolExecutor(len(annotators), "sender") as threads:
        futures = []
        for (survey, annotator), event in zip(annotators.items(), wake, strict=True):
            future = threads.submit(_send, settings, survey, annotator, metrics, stop, event)
            future.add_done_callback(ended)
            futures.append(future)
        try:
            yield wake
        finally:
            stop.set()
            for event in wake:
                event.set()
    for future in futures:
        future.result()


def _send(
    settings: Settings,
    survey: str,
    annotator: Annotator,
    metrics: AnnotateMetrics,
    stop: threading.Event,
    wake: threading.Event,
) -> None:
    sender = Sender(
        survey,
        Outbox(settings.annotate.outbox),
        annotator.client,
        Budget(annotator.settings.calls_per_hour),
        settings.annotate.batch_size,
        metrics,
    )
    while not stop.is_set():
        wake.clear()
        try:
            wait_s = sender.step()
            metrics.note(f"outbox of {survey}", None)
        except StoreUnavailableError as error:
            metrics.note(f"outbox of {survey}", str(error))
            wait_s = settings.kafka.retry_delay_s
        if wait_s > 0:
            wake.wait(min(wait_s, LONGEST_SLEEP_S))
    sender.outbox.close()


def _read(
    settings: Settings,
    annotators: Mapping[str, Annotator],
    metrics: AnnotateMetrics,
    stop: threading.Event,
    wake: Sequence[threading.Event],
) -> None:
    outbox, kafka = Outbox(settings.annotate.outbox), settings.kafka
    by_survey = {survey: annotator.settings for survey, annotator in annotators.items()}
    intake = Intake(outbox, by_survey, settings.annotate, metrics)
    reader = TopicReader(kafka, kafka.output_topic)
    topic, waiting = Topic(reader, outbox, intake, settings), WaitingLog("the annotator")
    while not stop.is_set():
        metrics.beat()
        try:
            if topic.read():
                for event in wake:
                    event.set()
            metrics.note("topic", None)
            waiting.note("")
        except (OutputUnavailableError, StoreUnavailableError) as error:
            waiting.note(str(error))
            metrics.note("topic", str(error))
            stop.wait(kafka.retry_delay_s)
    reader.close()
    outbox.close()


class Topic:
    """Our topic, read from where the outbox says; a batch that could not be entered is kept."""

    def __init__(
        self, reader: TopicReader, outbox: Outbox, intake: Intake, settings: Settings
    ) -> None:
        self._reader, self._outbox, self._intake = reader, outbox, intake
        self._kafka, self._retention_days = settings.kafka, settings.store.retention_days
        self._cluster = ""
        self._read: list[KafkaMessage] = []
        self._look_again_at = self._forget_at = 0.0

    def read(self) -> bool:
        """Read and enter the next batch; tell whether there was any.

        Raises
        ------
        OutputUnavailableError, StoreUnavailableError
            If the topic cannot be read, or the outbox written, now.
        """
        self._look_for_partitions()
        kafka, topic = self._kafka, self._kafka.output_topic
        self._read = self._read or self._reader.read(kafka.batch_size, kafka.poll_timeout_s)
        if not self._read:
            return False
        offsets: dict[int, int] = {}
        for message in self._read:
            offsets[message.partition() or 0] = (message.offset() or 0) + 1
        values = [message.value() or b"" for message in self._read]
        self._intake.enter(values, self._cluster, topic, offsets)
        self._read = []
        return True

    def _look_for_partitions(self) -> None:
        if time.monotonic() < self._look_again_at:
            return
        self._cluster = self._cluster or self._reader.cluster_id()
        self._reader.start(self._outbox.offsets(self._cluster, self._kafka.output_topic))
        self._look_again_at = time.monotonic() + PARTITIONS_EVERY_S
        if time.monotonic() > self._forget_at:
            self._outbox.forget(time.time() - self._retention_days * SECONDS_PER_DAY)
            self._forget_at = time.monotonic() + FORGET_EVERY_S
