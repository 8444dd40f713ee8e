"""Stored light curves classified again, by the bundles of the settings or another one."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch

from broker_classifier.config import Settings, Stream, topic_matches
from broker_classifier.errors import BundleError, ConfigError, DataError
from broker_classifier.model.bundle import Bundle, load_bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.service.open_reader import open_reader
from broker_classifier.service.publish import outgoing
from broker_classifier.service.served_bundles import load_bundles
from broker_classifier.service.stored_alerts import (
    AskedAlerts,
    answered_again,
    last_detection_mjd,
    tasks_of,
)
from broker_classifier.service.until_available import until_available
from broker_classifier.store import ObjectRecord, StoreReader
from broker_classifier.streams.message import Outgoing, Sink
from broker_classifier.surveys.alert import SIMULATION_OF

OBJECTS_AT_ONCE = 200

Bundles = Mapping[str, Sequence[Bundle]]
"""The bundles of every survey whose objects are asked for."""


@dataclass(frozen=True)
class AskedObjects:
    """Which objects are classified again.

    Attributes
    ----------
    object_ids : sequence of str
        Empty for all.
    since_mjd : float
        Only those detected then or later.
    """

    object_ids: Sequence[str] = ()
    since_mjd: float = float("-inf")


def reprocess(
    settings: Settings,
    bundles: Bundles,
    sink: Sink,
    topic: str,
    objects: AskedObjects,
    alerts: AskedAlerts,
    track: Track = untracked,
) -> dict[str, int]:
    """Classify stored light curves and publish the answers; return what was counted.

    A service may be working on the store. While the store or the destination is down, it is waited
    for.

    Parameters
    ----------
    settings : Settings
    bundles : mapping of str to sequence of Bundle
        As `chosen_bundles` gives them.
    sink : Sink
    topic : str
        Of the messages; see `checked_topic`.
    objects : AskedObjects
    alerts : AskedAlerts
    track : Track
        Shows how many objects were looked at.

    Returns
    -------
    dict of str to int
        `objects` that were asked for; `answers`; and those that gave none: objects for which no
        alert has been answered (`without_alert`), alerts of which a bundle takes no point
        (`unusable`).

    Raises
    ------
    ConfigError
        There is no store, or it cannot be read.
    DataError
        The store has not all objects that are named.
    """
    counts = dict.fromkeys(("objects", "answers", "without_alert", "unusable"), 0)
    with closing(open_reader(settings.store)) as store:
        keys = _keys_of(store, objects, bundles, track)
        while part := list(islice(keys, OBJECTS_AT_ONCE)):
            read = partial(store.read, part)
            records = dict(
                zip(part, until_available(read, settings.kafka.retry_delay_s), strict=True)
            )
            records = {k: r for k, r in records.items() if _is_asked_for(r, objects)}
            messages = _messages(records, bundles, topic, alerts, counts)
            sink.send(messages, ())
            until_available(sink.confirm, settings.kafka.retry_delay_s)
    return counts


def _is_asked_for(record: ObjectRecord, objects: AskedObjects) -> bool:
    return record.is_known and last_detection_mjd(record.curve) >= objects.since_mjd


def _keys_of(
    store: StoreReader, objects: AskedObjects, bundles: Bundles, track: Track
) -> Iterator[str]:
    if objects.object_ids:
        return iter(_keys_of_named(store, objects, bundles))
    keys = track(store.names(), "objects", len(store))
    return (key for key in keys if key.partition(":")[0] in bundles)


def _keys_of_named(store: StoreReader, objects: AskedObjects, bundles: Bundles) -> list[str]:
    keys = [f"{survey}:{name}" for name in objects.object_ids for survey in bundles]
    there = [key for key, record in zip(keys, store.read(keys), strict=True) if record.is_known]
    names = {key.partition(":")[2] for key in there}
    if missing := [name for name in objects.object_ids if name not in names]:
        msg = (
            f"the store of the settings has no object {', '.join(missing)} of "
            f"{', '.join(bundles)}: correct --object or --survey, or set store.path"
        )
        raise DataError(msg)
    return there


def _messages(
    records: Mapping[str, ObjectRecord],
    bundles: Bundles,
    topic: str,
    alerts: AskedAlerts,
    counts: dict[str, int],
) -> list[Outgoing]:
    messages: list[Outgoing] = []
    for survey, of_survey in bundles.items():
        tasks = {
            key: tasks_of(key, record, alerts)
            for key, record in records.items()
            if key.startswith(f"{survey}:")
        }
        counts["objects"] += len(tasks)
        counts["without_alert"] += sum(not of_object for of_object in tasks.values())
        for bundle in of_survey:
            pairs = answered_again(tasks.values(), bundle, alerts.at_mjd)
            given = [(task, answer) for task, answer in pairs if answer is not None]
            counts["answers"] += len(given)
            counts["unusable"] += len(pairs) - len(given)
            versions = [records[task.arrival.alert.key].version for task, _ in given]
            if given:
                messages += outgoing(given, bundle, topic, versions, time.time(), alerts.at_mjd)
    return messages


def chosen_bundles(
    settings: Settings, survey: Stream | None, chosen: Path | None, at_mjd: float | None
) -> dict[str, list[Bundle]]:
    """Load the bundle that was chosen, or those of the settings that are not in shadow.

    Raises
    ------
    BundleError
        One cannot be used, or is for another survey.
    ConfigError
        No survey asked for has a bundle; or answers are asked for at a later time, and a bundle
        does not hear silence.
    """
    torch.set_num_threads(settings.model_threads)
    if chosen is None:
        served = load_bundles(settings, with_shadows=False)
        bundles = {name: [each.bundle for each in served[name]] for name in served}
    else:
        bundles = _of_fit_surveys(load_bundle(chosen), survey)
    if survey:
        bundles = {name: of_survey for name, of_survey in bundles.items() if name == survey}
    if not bundles:
        msg = f"no bundle is set for {survey or 'any survey'}: give one with --bundle"
        raise ConfigError(msg)
    if at_mjd is not None:
        for bundle in (bundle for of_survey in bundles.values() for bundle in of_survey):
            _refuse_deaf(bundle)
    return bundles


def _of_fit_surveys(bundle: Bundle, survey: Stream | None) -> dict[str, list[Bundle]]:
    fit = [bundle.survey, *(s for s, real in SIMULATION_OF.items() if real == bundle.survey)]
    if survey and survey not in fit:
        msg = f"{bundle.name} is for {bundle.survey} objects, not for {survey}: correct --survey"
        raise BundleError(msg)
    return {name: [bundle] for name in fit}


def _refuse_deaf(bundle: Bundle) -> None:
    if not bundle.encoder.hears_silence:
        msg = (
            f"{bundle.name} {bundle.version} does not hear silence, so at any later time it says "
            "what it said at the last detection: leave --at out, or give with --bundle boosted "
            "trees or a blend with them"
        )
        raise ConfigError(msg)


def checked_topic(settings: Settings, topic: str, at_mjd: float | None = None) -> str:
    """Return the topic, or refuse one in which these answers would do harm.

    Raises
    ------
    ConfigError
        If alerts are read from it, something else is written to it, or answers asked for at a
        later time were to go among those of alerts.
    """
    kafka = settings.kafka
    for survey, table in settings.surveys.items():
        if any(topic_matches(name, topic) for name in table.topics):
            msg = f"{topic} is read as alerts (surveys.{survey}.topics): give another --topic"
            raise ConfigError(msg)
    if topic != kafka.output_topic and topic in kafka.output_topics:
        msg = f"{topic} is for other messages of the service: give another --topic"
        raise ConfigError(msg)
    if topic == kafka.output_topic and at_mjd is not None:
        msg = f"answers asked for at a later time do not belong in {topic}: give another --topic"
        raise ConfigError(msg)
    return topic
