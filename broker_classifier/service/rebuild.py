"""Alert topics read again into the store, beside workers; nothing is published or committed.

An alert counts as answered once its message was read here. A worker that reads the same message
later answers it all the same, because nobody knows whether its answer was published.
"""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import islice

from broker_classifier.config import Settings
from broker_classifier.logs import get_logger
from broker_classifier.progress import Track, untracked
from broker_classifier.service.batch import next_records
from broker_classifier.service.open_kafka import inputs_of
from broker_classifier.service.open_reader import refuse_memory
from broker_classifier.service.receive import Received, ReceiveRules, receive
from broker_classifier.service.serve import exclusions, open_store
from broker_classifier.service.triage import Triage, triage
from broker_classifier.service.until_available import until_available
from broker_classifier.store import LightCurveStore, ObjectRecord, Standing
from broker_classifier.streams.message import Message
from broker_classifier.streams.past_alerts import past_alerts
from broker_classifier.surveys.decoders import open_decoders

COUNTS = (
    "alerts_read",
    "alerts_new",
    "already_known",
    "declined",
    "withdrawn",
    "unreadable",
    "points_new",
    "objects_begun",
)
"""What is counted; alerts_read is the sum of the five that follow it."""

log = get_logger()


def rebuild(
    settings: Settings, since: datetime | None = None, track: Track = untracked
) -> dict[str, int]:
    """Read all alert topics of the settings into the store; return `COUNTS`.

    Every history is read. While the store is down it is waited for.

    Parameters
    ----------
    settings : Settings
    since : datetime, optional
        Only what Kafka received then or later; with its time zone.
    track : Track
        Shows how many alerts were read.

    Raises
    ------
    ConfigError
        If the store cannot be opened, as one in a folder that a worker has open, or there is no
        topic.
    OutputUnavailableError
        If Kafka does not answer. The same call goes on from what is in the store.
    """
    refuse_memory(settings.store)
    answerable = frozenset(name for name, survey in settings.surveys.items() if survey.bundles)
    decoders = open_decoders(settings.surveys, settings.lasair)
    rules = ReceiveRules(decoders, {}, answerable, exclusions(settings))
    counts = Counter(dict.fromkeys(COUNTS, 0))
    with closing(open_store(settings.store)) as store:
        for kafka, topics in inputs_of(settings):
            messages = past_alerts(kafka, topics, since, track)
            while batch := list(islice(messages, kafka.batch_size)):
                kept = partial(_kept, store, rules, batch)
                counts.update(until_available(kept, settings.kafka.retry_delay_s))
    return dict(counts)


def _kept(store: LightCurveStore, rules: ReceiveRules, messages: Sequence[Message]) -> Counter[str]:
    """Merge a batch into the store, and return when it is on disk."""
    counts = merge_into(store, rules, messages)
    store.flush()
    return counts


def merge_into(
    store: LightCurveStore, rules: ReceiveRules, messages: Sequence[Message]
) -> Counter[str]:
    """Put what messages say that is new into the store; return `COUNTS`.

    Objects that a worker has put there meanwhile are merged again, with what is there now.
    """
    received = receive(messages, rules, store.read)
    arrivals, failures, before = received
    for message, error in failures:
        log.warning("unreadable", origin=message.origin, reason=str(error))
    triaged = triage(arrivals, before, {})
    after = next_records(triaged, arrivals, {}, before, ())
    changed = {name: record for name, record in after.items() if _is_news(before[name], record)}
    conflicts = store.put(changed, {name: before[name].version for name in changed}, time.time())
    counts = _counts(received, triaged.without(conflicts))
    for name in changed.keys() - conflicts:
        counts["points_new"] += len(changed[name].curve) - len(before[name].curve)
        counts["objects_begun"] += not before[name].is_known
    if conflicts:
        again = [a.message for a in arrivals if a.alert.key in conflicts]
        counts.update(merge_into(store, rules, again))
    return counts


def _is_news(before: ObjectRecord, after: ObjectRecord) -> bool:
    return (
        not before.is_known
        or before.curve != after.curve
        or before.answered.tobytes() != after.answered.tobytes()
    )


def _counts(received: Received, triaged: Triage) -> Counter[str]:
    """Count what became of alerts; of objects that were left out of `triaged`, nothing."""
    n_again = sum(
        received.records[task.arrival.alert.key].standing(
            task.alert_id, task.arrival.message.origin_digest
        )
        is not Standing.NEW
        for task in triaged.tasks
    )
    outcomes = {
        "alerts_new": len(triaged.tasks) - n_again,
        "already_known": len(triaged.duplicates) + n_again,
        "declined": len(triaged.declined),
        "withdrawn": len(triaged.withdrawn),
        "unreadable": len(received.failures),
    }
    return Counter({"alerts_read": sum(outcomes.values())} | outcomes)
