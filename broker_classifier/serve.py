"""Open what the settings name, and run the street: as a service on Kafka, or once over files."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import structlog
import torch

from broker_classifier.bundle import Bundle, load_bundle
from broker_classifier.config import Settings
from broker_classifier.errors import ConfigError
from broker_classifier.metrics import Metrics, serve_metrics
from broker_classifier.service import Street, run
from broker_classifier.store import EmbeddedStore, LightCurveStore, MemoryStore
from broker_classifier.streams import FileSource, JsonLinesSink, KafkaSink, KafkaSource
from broker_classifier.surveys import DECODERS

SECONDS_PER_DAY = 86400.0

log = structlog.get_logger()


def serve(settings: Settings, stop: threading.Event) -> None:
    """Consume, classify and publish until `stop` is set; then finish the batch under way.

    Raises
    ------
    SetupError
        If a bundle, the store, a port or a setting is not as it must be.
    """
    bundles = load_bundles(settings)
    kafka, topics = settings.kafka, {name: one.topics for name, one in settings.surveys.items()}
    metrics = Metrics()
    with (
        closing(open_store(settings.store.path)) as store,
        metrics_server(metrics, settings),
    ):
        sink = KafkaSink(kafka, [kafka.output_topic, kafka.dead_letter_topic])
        with closing(sink), closing(KafkaSource(kafka, topics)) as source:
            log.info("serving", bootstrap_servers=kafka.bootstrap_servers, topics=topics)
            run(
                Street(
                    source,
                    sink,
                    store,
                    bundles,
                    metrics,
                    kafka.output_topic,
                    kafka.dead_letter_topic,
                    kafka.retry_delay_s,
                    settings.store.retention_days * SECONDS_PER_DAY,
                    settings.store.prune_interval_s,
                ),
                stop,
            )
    log.info("stopped", **metrics.totals())


def classify_files(
    settings: Settings, paths: Sequence[Path], survey: str, output: Path
) -> dict[str, int]:
    """Run the street once over alert files; return how many met which outcome.

    Returns
    -------
    dict
        "received" and one entry per outcome; received is their sum.
    """
    bundles, metrics, kafka = load_bundles(settings, only=survey), Metrics(), settings.kafka
    source = FileSource(paths, survey, kafka.batch_size)
    with closing(JsonLinesSink(output, kafka.output_topic)) as sink:
        street = Street(
            source,
            sink,
            MemoryStore(),
            bundles,
            metrics,
            kafka.output_topic,
            kafka.dead_letter_topic,
        )
        run(street, threading.Event())
    return metrics.totals()


def load_bundles(settings: Settings, only: str | None = None) -> dict[str, Bundle]:
    """Load and check the bundle of every survey in the settings, or of one of them.

    Raises
    ------
    ConfigError
        If a survey is unknown.
    BundleError
        If a bundle is not whole.
    """
    torch.set_num_threads(settings.model_threads)
    wanted = {only} if only else set(settings.surveys)
    if unknown := wanted - (set(DECODERS) & set(settings.surveys)):
        reason = f"no such survey: {', '.join(sorted(unknown))}; known are {', '.join(DECODERS)}"
        raise ConfigError(reason)
    return {one: load_bundle(bundle_folder(settings.surveys[one].bundle)) for one in sorted(wanted)}


def bundle_folder(path: Path) -> Path:
    """Find a bundle's folder: as given, else below the checkout that this package stands in."""
    beside_package = Path(__file__).parent.parent / path
    return path if path.exists() or not beside_package.exists() else beside_package


def open_store(path: str) -> LightCurveStore:
    """Open the store in this folder, or one in memory where "memory" is asked for."""
    return MemoryStore() if path == "memory" else EmbeddedStore(Path(path))


@contextmanager
def metrics_server(metrics: Metrics, settings: Settings) -> Iterator[None]:
    """Answer /metrics and /health as long as the context lasts."""
    server = serve_metrics(metrics, settings.metrics.host, settings.metrics.port)
    log.info("metrics", url=f"http://{settings.metrics.host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
