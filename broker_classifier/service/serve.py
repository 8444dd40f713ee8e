"""Open what the settings name, and run the street: as a service on Kafka, or once over files."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

import torch

from broker_classifier.config import Settings, Stream
from broker_classifier.config.rules import Rules
from broker_classifier.config.store import StoreSettings
from broker_classifier.errors import BundleError, ConfigError, OutputUnavailableError
from broker_classifier.light_curve.photometry import SECONDS_PER_DAY
from broker_classifier.logs import get_logger
from broker_classifier.model.bundle import Bundle, load_bundle
from broker_classifier.model.find_bundle import find_bundle
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
from broker_classifier.service.street import Service
from broker_classifier.store import EmbeddedStore, LightCurveStore, MemoryStore
from broker_classifier.streams.files import FileSource, JsonLinesSink
from broker_classifier.surveys.alert import SIMULATION_OF
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
    kafka, topics = settings.kafka, {name: one.topics for name, one in settings.surveys.items()}
    with (
        closing(open_store(settings.store)) as store,
        metrics_server(metrics, settings),
        worker_name(kafka) as worker,
    ):
        log.info("serving", bootstrap_servers=kafka.bootstrap_servers, topics=topics, worker=worker)
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
                output_topic=kafka.output_topic,
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
            metrics.beat(waiting_for="input")
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
    """Run the street once over alert files; return what was counted."""
    metrics, bundles, kafka = Metrics(), load_bundles(settings), settings.kafka
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
            output_topic=kafka.output_topic,
            dead_letter_topic=kafka.dead_letter_topic,
            declined_topic=DECLINED,
            exclusions=exclusions(settings),
        )
        run(service, threading.Event())
    return metrics


def load_bundles(settings: Settings) -> dict[str, Bundle]:
    """Load and check the bundle of every survey that has one in the settings, each once.

    Raises
    ------
    BundleError
        If a bundle is not whole, or is for another survey.
    """
    torch.set_num_threads(settings.model_threads)
    folders = {one.bundle for one in settings.surveys.values() if one.bundle is not None}
    loaded = {folder: load_bundle(folder) for folder in sorted(folders)}
    bundles = {}
    for survey, ours in settings.surveys.items():
        if ours.bundle is not None:
            bundle = loaded[ours.bundle]
            if bundle.survey not in (survey, SIMULATION_OF.get(survey)):
                msg = (
                    f"the bundle {ours.bundle} is for {bundle.survey} alerts, not for {survey}; "
                    f"give one that is with --bundle, or set surveys.{survey}.bundle"
                )
                raise BundleError(msg)
            bundles[str(survey)] = bundle
    return bundles


def history_days(settings: Settings, bundles: Mapping[str, Bundle]) -> dict[str, float]:
    """Say of every survey for how long its histories need not be read; see `ReceiveRules`."""
    return {
        name: 0.0
        if name in bundles and "forced" in bundles[name].selection.kinds
        else survey.history_days
        for name, survey in settings.surveys.items()
    }


def exclusions(settings: Settings) -> dict[str, Rules]:
    """Give the rules of every survey; alerts of one without a table have the usual ones."""
    tables = {name: survey.rules for name, survey in settings.surveys.items()}
    return {name: tables.get(name, Rules()) for name in get_args(Stream)}


def folder_of_bundle(settings: Settings, survey: str, chosen: Path | None = None) -> Path:
    """Find the folder of a chosen bundle, or of the one that the settings have for a survey.

    Raises
    ------
    ConfigError
        If there is none for it.
    """
    ours = settings.surveys.get(survey)
    folder = chosen or (ours.bundle if ours else None)
    if folder is None:
        msg = f"no bundle is set for {survey} alerts: give one with --bundle"
        raise ConfigError(msg)
    return find_bundle(folder)


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
    from broker_classifier.store.valkey import ValkeyStore, secret_in

    file = settings.password_file
    return ValkeyStore(
        settings.path,
        settings.retention_days * SECONDS_PER_DAY,
        password=secret_in(file) if file else settings.password.get_secret_value(),
        client=settings.client,
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
