"""Open what the settings name, and run the street: as a service on Kafka, or once over files."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

from broker_classifier.config import Settings, Stream
from broker_classifier.config.rules import Rules
from broker_classifier.config.secrets import plain
from broker_classifier.config.store import StoreSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.light_curve.photometry import SECONDS_PER_DAY
from broker_classifier.logs import get_logger
from broker_classifier.progress import Track, untracked
from broker_classifier.service.loop import run
from broker_classifier.service.metrics import Metrics, serve_metrics
from broker_classifier.service.open_kafka import (
    delivery_of,
    inputs_of,
    open_ends,
    worker_name,
)
from broker_classifier.service.process import keep_freed_memory, leave_out_of_collections
from broker_classifier.service.served_bundles import Served, load_bundles
from broker_classifier.service.street import Service
from broker_classifier.store import EmbeddedStore, LightCurveStore, MemoryStore
from broker_classifier.streams.files import FileSource, JsonLinesSink
from broker_classifier.surveys.decoders import open_decoders

log = get_logger()

DECLINED = "declined"  # the topic of files' declined alerts


def serve(settings: Settings, stop: threading.Event) -> None:
    """Consume, classify and publish until `stop` is set; then finish the batch under way.

    Raises
    ------
    SetupError
        If a bundle, the store, a port or a setting is not as it must be.
    """
    keep_freed_memory()
    metrics, bundles = Metrics(), load_bundles(settings)
    decoders = open_decoders(settings.surveys, settings.lasair, metrics.fallbacks)
    kafka, tables = settings.kafka, settings.surveys
    topics = {name: table.topics for name, table in tables.items()}
    labels = {name: [served.label for served in of_survey] for name, of_survey in bundles.items()}
    with (
        closing(open_store(settings.store)) as store,
        metrics_server(metrics, settings),
        worker_name(kafka) as worker,
    ):
        servers = kafka.bootstrap_servers
        log.info("serving", bootstrap_servers=servers, topics=topics, bundles=labels, worker=worker)
        delivery = awaited_delivery(settings, metrics, stop)
        if delivery is None:
            return
        log.info("delivering", delivery=delivery)
        source, sink = open_ends(settings, delivery, worker)
        with closing(source), closing(sink):
            service = Service(
                source=source,
                sink=sink,
                store=store,
                decoders=decoders,
                bundles=bundles,
                metrics=metrics,
                dead_letter_topic=kafka.dead_letter_topic,
                declined_topic=kafka.declined_topic or None,
                retry_delay_s=kafka.retry_delay_s,
                retention_s=settings.store.retention_days * SECONDS_PER_DAY,
                prune_interval_s=settings.store.prune_interval_s,
                history_days=history_days(settings, bundles),
                exclusions=exclusions(settings),
            )
            leave_out_of_collections()
            run(service, stop)
    log.info("stopped", **metrics.totals())


def awaited_delivery(settings: Settings, metrics: Metrics, stop: threading.Event) -> str | None:
    """Decide how results are delivered as soon as Kafka answers; None when told to stop."""
    while not stop.is_set():
        try:
            return delivery_of(settings, inputs_of(settings))
        except OutputUnavailableError as error:
            metrics.beat("input", str(error))
            log.warning("waiting for Kafka", reason=str(error))
            stop.wait(settings.kafka.retry_delay_s)
    return None


def classify_files(
    settings: Settings,
    paths: Sequence[Path],
    survey: str,
    output: Path,
    track: Track = untracked,
) -> Metrics:
    """Run the street once over alert files, without bundles in shadow; return what was counted."""
    metrics, kafka = Metrics(), settings.kafka
    bundles = load_bundles(settings, with_shadows=False)
    decoders = open_decoders(settings.surveys, settings.lasair, metrics.fallbacks)
    source = FileSource(paths, survey, kafka.batch_size, track)
    with closing(JsonLinesSink(output, kafka.output_topic, DECLINED)) as sink:
        service = Service(
            source=source,
            sink=sink,
            store=MemoryStore(),
            decoders=decoders,
            bundles=bundles,
            metrics=metrics,
            dead_letter_topic=kafka.dead_letter_topic,
            declined_topic=DECLINED,
            exclusions=exclusions(settings),
        )
        run(service, threading.Event())
    return metrics


def history_days(settings: Settings, bundles: Served) -> dict[str, float]:
    """Say of every survey for how long its histories need not be read; see `ReceiveRules`."""
    return {
        name: 0.0
        if any("forced" in served.bundle.selection.kinds for served in bundles.get(name, ()))
        else survey.history_days
        for name, survey in settings.surveys.items()
    }


def exclusions(settings: Settings) -> dict[str, Rules]:
    """Give the rules of every survey; alerts of one without a table have the usual ones."""
    tables = {name: survey.rules for name, survey in settings.surveys.items()}
    return {name: tables.get(name, Rules()) for name in get_args(Stream)}


def open_store(settings: StoreSettings) -> LightCurveStore:
    """Open the store on a server, in a folder, or in memory where "memory" is asked for.

    Raises
    ------
    ConfigError
        If it cannot be opened.
    """
    if settings.path == "memory":
        return MemoryStore()
    if "://" not in settings.path:
        return EmbeddedStore(Path(settings.path))
    from broker_classifier.store.valkey import ValkeyStore

    return ValkeyStore(
        settings.path,
        settings.retention_days * SECONDS_PER_DAY,
        password=settings.password.get_secret_value(),
        client=plain(settings.client),
        may_forget=settings.may_forget,
    )


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
