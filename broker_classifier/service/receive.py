"""Messages to arrivals: new detections first, and only the histories that are needed.

A packet repeats its object's history. Reading the history is most of the work of a deep-field
alert. For an object that is followed it holds little news: what was forced, withdrawn or missed
since. So the history is read for a new object, for a late alert, and again after `history_days`;
and for a message that comes again, because its points may have revised earlier answers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import NamedTuple, TypeVar

from broker_classifier.config.rules import Rules
from broker_classifier.errors import MessageError
from broker_classifier.light_curve import LightCurve
from broker_classifier.logs import get_logger
from broker_classifier.service.triage import NO_BUNDLE, Arrival
from broker_classifier.store import ObjectRecord, Standing
from broker_classifier.streams.dead_letters import dead_letter
from broker_classifier.streams.message import Message, Outgoing
from broker_classifier.surveys.alert import (
    SOLAR_SYSTEM,
    Alert,
    BatchDecoder,
    Decoder,
    checked,
)
from broker_classifier.surveys.source.decline import declined

log = get_logger()

Read = Callable[[Sequence[str]], list[ObjectRecord]]  # as `LightCurveStore.read`
Item = TypeVar("Item")


@dataclass(frozen=True)
class ReceiveRules:
    """How messages are read.

    Attributes
    ----------
    decoders : mapping of str to Decoder
        The decoder of every stream.
    history_days : mapping of str to float
        By survey: the histories of an object's alerts are not read for so long after one was (days
        between the detections). Every history is read where there is no entry, or 0.
    answerable : set of str
        Surveys that have bundles; alerts of others are declined.
    exclusions : mapping of str to Rules
        By survey: which alerts are declined for what their packets say of the source.
    """

    decoders: Mapping[str, Decoder]
    history_days: Mapping[str, float]
    answerable: frozenset[str]
    exclusions: Mapping[str, Rules] = field(default_factory=dict)


class Received(NamedTuple):
    """A batch as it was received.

    Attributes
    ----------
    arrivals : list of Arrival
        In order of arrival, stream after stream.
    failures : list of (Message, MessageError)
        The messages that could not be decoded, and why.
    records : dict of str to ObjectRecord
        What the store has of each object of the arrivals, by `Alert.key`.
    """

    arrivals: list[Arrival]
    failures: list[tuple[Message, MessageError]]
    records: dict[str, ObjectRecord]


class _Decoded(NamedTuple):
    """What a message became, and whether its history was read."""

    alert: Alert | MessageError
    has_history: bool


def receive(messages: Sequence[Message], rules: ReceiveRules, read: Read) -> Received:
    """Decode a batch, all messages of one stream at once, and read the records of its objects."""
    received = Received([], [(m, m.error) for m in messages if m.error], {})
    readable = [message for message in messages if message.error is None]
    for stream, of_stream in by_survey(readable, lambda message: message.survey).items():
        decoder, days = rules.decoders[stream], rules.history_days.get(stream, 0.0)
        if decoder.heads is None or days <= 0.0:
            decoded = _decode_whole(of_stream, decoder, read, received.records)
        else:
            decoded = _decode_heads_first(of_stream, decoder, days, read, received.records)
        for message, (alert, has_history) in zip(of_stream, decoded, strict=True):
            if isinstance(alert, MessageError):
                received.failures.append((message, alert))
            else:
                is_head = decoder.heads is not None and not has_history
                stored = received.records[alert.key].curve if is_head else None
                accepted = _accept(alert, rules, stored)
                # What passed an object brings none of its history.
                brings_history = has_history and accepted.decline != SOLAR_SYSTEM
                received.arrivals.append(Arrival(message, accepted, brings_history))
    return received


def by_survey(items: Iterable[Item], survey_of: Callable[[Item], str]) -> dict[str, list[Item]]:
    """Group the items of a batch by their survey, in order.

    >>> by_survey(["ztf 1", "lsst 1", "ztf 2"], lambda item: item.split()[0])
    {'ztf': ['ztf 1', 'ztf 2'], 'lsst': ['lsst 1']}
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(survey_of(item), []).append(item)
    return groups


def _decode_whole(
    messages: Sequence[Message], decoder: Decoder, read: Read, records: dict[str, ObjectRecord]
) -> list[_Decoded]:
    """Decode every message to its end."""
    alerts = _decoded(decoder.full, messages)
    _look_up(alerts, read, records)
    return [_Decoded(alert, decoder.heads is not None) for alert in alerts]


def _decode_heads_first(
    messages: Sequence[Message],
    decoder: Decoder,
    history_days: float,
    read: Read,
    records: dict[str, ObjectRecord],
) -> list[_Decoded]:
    """Decode new detections, look their objects up, and decode the histories that are needed."""
    assert decoder.heads is not None
    heads = _decoded(decoder.heads, messages)
    _look_up(heads, read, records)
    is_needed = [
        _needs_history(message, head, records, history_days)
        for message, head in zip(messages, heads, strict=True)
    ]
    whole = _decoded(decoder.full, list(compress(messages, is_needed)))
    _look_up(whole, read, records)
    rest = iter(whole)
    return [
        _Decoded(next(rest), True) if needed else _Decoded(head, False)
        for head, needed in zip(heads, is_needed, strict=True)
    ]


def _decoded(decode: BatchDecoder, messages: Sequence[Message]) -> list[Alert | MessageError]:
    return [checked(alert) for alert in decode([message.value for message in messages])]


def _needs_history(
    message: Message,
    head: Alert | MessageError,
    records: Mapping[str, ObjectRecord],
    history_days: float,
) -> bool:
    if isinstance(head, MessageError):
        return True  # the whole message may say more about what is wrong
    record = records[head.key]
    if not 0.0 <= head.mjd - record.history_mjd < history_days:
        return True
    return record.standing(head.alert_id, message.origin_digest) >= Standing.AGAIN


def _look_up(
    alerts: Sequence[Alert | MessageError], read: Read, records: dict[str, ObjectRecord]
) -> None:
    """Read the records of the objects that are not there yet."""
    names = dict.fromkeys(alert.key for alert in alerts if not isinstance(alert, MessageError))
    missing = [name for name in names if name not in records]
    records.update(zip(missing, read(missing), strict=True))


def _accept(alert: Alert, rules: ReceiveRules, stored: LightCurve | None) -> Alert:
    """Decline an alert that a rule excludes, or that no bundle is there for.

    `stored` is the light curve of its object, where the alert came without its history.
    """
    if alert.survey in rules.exclusions:
        alert = declined(alert, rules.exclusions[alert.survey], stored)
    if alert.decline is None and alert.survey not in rules.answerable:
        return alert._replace(decline=NO_BUNDLE)
    return alert


def dead_letters(failures: Iterable[tuple[Message, MessageError]], topic: str) -> list[Outgoing]:
    """Make the dead letters of a batch."""
    letters = []
    for message, error in failures:
        log.warning("dead letter", origin=message.origin, reason=str(error))
        letters.append(dead_letter(message, error, topic))
    return letters
