"""Read the classification topic from Python: `for message in subscribe(...)`."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer
from confluent_kafka import Message as KafkaMessage
from pydantic import ValidationError

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.streams.classification import ClassificationMessage, parse
from broker_classifier.streams.kafka_clients import (
    client_settings,
    has_value,
    headers_of,
    opened,
)
from broker_classifier.streams.newest_messages import newest_messages
from broker_classifier.streams.wanted import Wanted, refuse_unknown_classes
from broker_classifier.streams.where import condition

log = get_logger()

POLL_S = 0.5
REMEMBERED_IDS = 200_000  # workers overtake each other by seconds: by far fewer messages


def subscribe(
    bootstrap_servers: str = "localhost:9092",
    topic: str = "classifications",
    *,
    where: str = "",
    classes: Sequence[str] = (),
    min_probability: float = 0.0,
    min_points: int = 0,
    min_bits: float = 0.0,
    object_ids: Sequence[str] = (),
    model: str = "",
    survey: str = "",
    group_id: str | None = None,
    from_beginning: bool = False,
    idle_timeout_s: float | None = None,
    client: dict[str, str | int | float | bool] | None = None,
    on_idle: Callable[[], None] | None = None,
) -> Iterator[ClassificationMessage]:
    """Yield classifications as they are published.

    Most of what is asked for stands in the Kafka headers and the key, so most messages that do not
    match are never decoded.

    A later message with the same id revises the earlier one. Several workers may publish theirs in
    another order than that of their points, and a crash repeats some. Only what is newer is passed
    on: a message whose `curve_version` is not above the highest that came with its id is left out.

    Parameters
    ----------
    bootstrap_servers, topic : str
    where : str
        A condition, such as "TDE > 0.1 and points >= 3"; see `streams.where.condition`.
    classes : sequence of str
        Only objects whose most probable class is one of these; all when empty.
    min_probability : float
        Only where the most probable class has at least this probability.
    min_points : int
        Only answers that rest on at least so many points.
    min_bits : float
        Only answers to which the light curve gave at least so much information, in bits.
    object_ids : sequence of str
        Only these objects; all when empty.
    model, survey : str
        Only answers of this bundle, or of this survey's alerts.
    group_id : str, optional
        Consumer group. With one, the position is kept from run to run; without, every run starts
        at the end of the topic, or at its beginning with `from_beginning`.
    idle_timeout_s : float, optional
        Stop when nothing has come for this long; by default, never.
    client : dict, optional
        Further librdkafka settings, such as sasl.* and ssl.*.
    on_idle : callable, optional
        Called about twice a second while nothing comes.

    Raises
    ------
    ConfigError
        The condition is none, or names a class that no model on the topic has.
    OutputUnavailableError
        No Kafka answers, or it reports an error that does not pass by itself.

    Examples
    --------
    >>> for message in subscribe(where="TDE > 0.1 and points >= 3"):  # doctest: +SKIP
    ...     print(message.object_id, message.probabilities["TDE"])
    """
    of_headers = classes, min_probability, min_points, min_bits, object_ids, model, survey
    wanted = Wanted(*of_headers, condition(where) if where else None)
    settings = client_settings(
        KafkaSettings(bootstrap_servers=bootstrap_servers, client=client or {})
    )
    _look_before(settings, topic, wanted)
    own = {
        "group.id": group_id or f"broker-classifier-subscriber-{uuid4()}",
        "enable.auto.commit": group_id is not None,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest" if from_beginning or group_id else "latest",
    }
    consumer = opened(Consumer, own | settings)
    consumer.subscribe([topic])
    try:
        yield from _wanted_messages(_messages(consumer, idle_timeout_s, on_idle), wanted, consumer)
    finally:
        consumer.close()


def _look_before(settings: Mapping[str, Any], topic: str, wanted: Wanted) -> None:
    """Refuse a wrong address and unknown classes at once, instead of waiting for ever."""
    last = newest_messages(settings, topic)
    if last is None:
        log.warning("the topic does not exist yet", topic=topic)
        return
    messages = [message for message in map(_parsed, last) if message is not None]
    _warn_of_unseen("model", wanted.model, {message.model.name for message in messages})
    _warn_of_unseen("survey", wanted.survey, {message.survey for message in messages})
    if messages and wanted.named_classes:
        classes = {name for message in messages for name in message.probabilities}
        refuse_unknown_classes(wanted.named_classes, classes)


def _warn_of_unseen(kind: str, name: str, recent: set[str]) -> None:
    """Say so where no recent answer is of the model or survey that is asked for."""
    if name and recent and name not in recent:
        log.warning(f"no recent answer is of this {kind}", asked_for=name, recent=sorted(recent))


def _wanted_messages(
    messages: Iterable[KafkaMessage], wanted: Wanted, consumer: Consumer
) -> Iterator[ClassificationMessage]:
    newest = NewestVersions()
    for message in messages:
        headers, key = headers_of(message), (message.key() or b"").decode(errors="replace")
        if newest.is_newer(headers) and not wanted.is_refused_by(headers, key):
            answer = _parsed(message.value() or b"", message.offset())
            if answer is not None and wanted.is_met_by(answer):
                yield answer
        consumer.store_offsets(message)  # after the yield: what is committed was handled


def _parsed(value: bytes, offset: int | None = None) -> ClassificationMessage | None:
    try:
        return parse(value)
    except ValidationError as error:
        log.warning("not a classification", offset=offset, reason=str(error))
        return None


def _messages(
    consumer: Consumer, idle_timeout_s: float | None, on_idle: Callable[[], None] | None
) -> Iterator[KafkaMessage]:
    idle_s = 0.0
    while idle_timeout_s is None or idle_s < idle_timeout_s:
        message = consumer.poll(POLL_S)
        if message is None:
            idle_s += POLL_S
            if on_idle:
                on_idle()
            continue
        if has_value(message, OutputUnavailableError):
            idle_s = 0.0
            yield message


class NewestVersions:
    """The highest curve version that came with each of the last ids.

    Parameters
    ----------
    most : int
        How many ids are remembered.
    """

    def __init__(self, most: int = REMEMBERED_IDS) -> None:
        self._most = most
        self._versions: OrderedDict[str, int] = OrderedDict()

    def is_newer(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a message is newer than all before it with the same id, and note it.

        >>> newest, headers = NewestVersions(), {"id": "7:ztf-transients:1.0"}
        >>> [newest.is_newer(headers | {"curve_version": version}) for version in "4254"]
        [True, False, True, False]
        """
        message_id, version = headers.get("id", ""), headers.get("curve_version", "")
        if not version.isdecimal():
            return True  # of a service before schema version 2
        if int(version) <= self._versions.get(message_id, -1):
            return False
        self._versions[message_id] = int(version)
        self._versions.move_to_end(message_id)
        if len(self._versions) > self._most:
            self._versions.popitem(last=False)
        return True
