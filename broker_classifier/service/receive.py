"""Messages to arrivals: new detections first, and of the histories only those that are needed.

A packet repeats its object's history. Reading it is most of the work of a deep-field alert, and of
an object that is followed it holds little news: what was forced, or withdrawn, or missed since.
So it is read of an object that is new, of a late alert, and again after `history_days`.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog

from broker_classifier.errors import MessageError
from broker_classifier.service.triage import Arrival
from broker_classifier.store import ObjectRecord
from broker_classifier.streams.dead_letters import dead_letter
from broker_classifier.streams.message import Message, Outgoing
from broker_classifier.surveys.alert import Alert, BatchDecoder, Decoder, checked

log = structlog.get_logger()

NO_BUNDLE = "no_bundle"
Read = Callable[[Sequence[str]], list[ObjectRecord]]  # as `LightCurveStore.read`


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
        Surveys that have a bundle; alerts of others are declined.
    """

    decoders: Mapping[str, Decoder]
    history_days: Mapping[str, float]
    answerable: frozenset[str]


class Received(NamedTuple):
    """A batch as it was received.

    Attributes
    ----------
    arrivals : list of Arrival
        In order of arrival, stream after stream.
    failed : list of (Message, MessageError)
        Those that could not be decoded, and why.
    known : dict of str to ObjectRecord
        What the store knows of each object of the arrivals (`Alert.key`).
    """

    arrivals: list[Arrival]
    failed: list[tuple[Message, MessageError]]
    known: dict[str, ObjectRecord]


def receive(messages: Sequence[Message], rules: ReceiveRules, read: Read) -> Received:
    """Decode a batch, all messages of one stream at once, and read what is known of its objects."""
    received = Received([], [], {})
    for stream in dict.fromkeys(message.survey for message in messages):
        ours = [message for message in messages if message.survey == stream]
        _receive_stream(ours, rules, read, received)
    return received


def _receive_stream(
    messages: Sequence[Message], rules: ReceiveRules, read: Read, received: Received
) -> None:
    decoder, known = rules.decoders[messages[0].survey], received.known
    days = rules.history_days.get(messages[0].survey, 0.0)
    everything = range(len(messages))
    if decoder.heads is None or days <= 0.0:
        results = _decoded(decoder.full, messages, everything)
        _look_up(results, read, known)
        read_whole = set(everything if decoder.heads else ())
    else:
        results = _decoded(decoder.heads, messages, everything)
        _look_up(results, read, known)
        read_whole = {i for i in everything if _needs_history(results[i], known, days)}
        whole = _decoded(decoder.full, messages, sorted(read_whole))
        for i, result in zip(sorted(read_whole), whole, strict=True):
            results[i] = result
        _look_up(whole, read, known)
    _accept(messages, results, read_whole, rules, received)


def _decoded(
    decode: BatchDecoder, messages: Sequence[Message], which: Iterable[int]
) -> list[Alert | MessageError]:
    return [checked(one) for one in decode([messages[i].value for i in which])]


def _needs_history(
    result: Alert | MessageError, known: Mapping[str, ObjectRecord], history_days: float
) -> bool:
    if isinstance(result, MessageError):
        return True  # the whole of it may say more about what is wrong
    return not 0.0 <= result.mjd - known[result.key].history_mjd < history_days


def _look_up(
    results: Sequence[Alert | MessageError], read: Read, known: dict[str, ObjectRecord]
) -> None:
    """Read the objects that are not among the known yet."""
    names = dict.fromkeys(one.key for one in results if not isinstance(one, MessageError))
    missing = [name for name in names if name not in known]
    known.update(zip(missing, read(missing), strict=True))


def _accept(
    messages: Sequence[Message],
    results: Sequence[Alert | MessageError],
    read_whole: Container[int],
    rules: ReceiveRules,
    received: Received,
) -> None:
    for i, (message, alert) in enumerate(zip(messages, results, strict=True)):
        if isinstance(alert, MessageError):
            received.failed.append((message, alert))
        elif alert.decline is None and alert.survey not in rules.answerable:
            declined = replace(alert, decline=NO_BUNDLE)
            received.arrivals.append(Arrival(message, declined, i in read_whole))
        else:
            received.arrivals.append(Arrival(message, alert, i in read_whole))


def dead_letters(failed: Iterable[tuple[Message, MessageError]], topic: str) -> list[Outgoing]:
    """Make the dead letters of a batch."""
    letters = []
    for message, error in failed:
        log.warning("dead letter", origin=message.origin, reason=str(error))
        letters.append(dead_letter(message, error, topic))
    return letters
