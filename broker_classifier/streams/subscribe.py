"""Read the classification topic from Python: `for message in subscribe(...)`."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import uuid4

import structlog
from confluent_kafka import Consumer, KafkaError
from confluent_kafka import Message as KafkaMessage
from pydantic import ValidationError

from broker_classifier.config import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.streams.classification import ClassificationMessage, parse
from broker_classifier.streams.kafka_source import client_settings, headers_of, opened

log = structlog.get_logger()

POLL_S = 0.5
REMEMBERED_IDS = 200_000  # workers overtake each other by seconds: by far fewer messages


def subscribe(
    bootstrap_servers: str = "localhost:9092",
    topic: str = "classifications",
    *,
    classes: Sequence[str] = (),
    min_probability: float = 0.0,
    object_ids: Sequence[str] = (),
    group_id: str | None = None,
    from_beginning: bool = False,
    idle_timeout_s: float | None = None,
    client: dict[str, str | int | float | bool] | None = None,
    on_idle: Callable[[], None] | None = None,
) -> Iterator[ClassificationMessage]:
    """Yield classifications as they are published.

    Class, probability and object are looked up in the Kafka headers and key, so messages that do
    not match are never decoded.

    A later message with the same id revises the earlier one. Several workers may publish theirs in
    another order than that of their points, and a crash repeats some. Only what is newer is passed
    on: a message whose `curve_version` is not above the highest that came with its id is left out.

    Parameters
    ----------
    bootstrap_servers, topic : str
    classes : sequence of str
        Only objects whose most probable class is one of these; all when empty.
    min_probability : float
        Only where the most probable class has at least this probability.
    object_ids : sequence of str
        Only these objects; all when empty.
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
    OutputUnavailableError
        If Kafka reports an error that does not pass by itself.

    Examples
    --------
    >>> for message in subscribe(classes=["TDE"], min_probability=0.8):  # doctest: +SKIP
    ...     print(message.object_id, message.probabilities)
    """
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, client=client or {})
    consumer = opened(
        Consumer,
        {
            "group.id": group_id or f"broker-classifier-subscriber-{uuid4()}",
            "enable.auto.commit": group_id is not None,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest" if from_beginning or group_id else "latest",
        }
        | client_settings(settings),
    )
    consumer.subscribe([topic])
    newest = NewestVersions()
    try:
        for message in _messages(consumer, idle_timeout_s, on_idle):
            if newest.is_newer(headers_of(message)) and _matches(
                message, classes, min_probability, object_ids
            ):
                try:
                    yield parse(message.value() or b"")
                except ValidationError as error:
                    log.warning("not a classification", offset=message.offset(), reason=str(error))
            consumer.store_offsets(message)  # after the yield: what is committed was handled
    finally:
        consumer.close()


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
        error = message.error()
        if error is None:
            idle_s = 0.0
            yield message
        elif error.fatal():
            reason = f"Kafka refuses to be read: {error.str()}"
            raise OutputUnavailableError(reason)
        elif error.code() != KafkaError._PARTITION_EOF:
            log.warning("kafka reports", reason=error.str())


def _matches(
    message: KafkaMessage, classes: Sequence[str], min_probability: float, objects: Sequence[str]
) -> bool:
    headers = headers_of(message)
    return (
        (not classes or headers.get("class") in classes)
        and _number(headers.get("probability")) >= min_probability
        and (not objects or bytes(message.key() or b"").decode(errors="replace") in objects)
    )


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


def _number(text: str | None) -> float:
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0
