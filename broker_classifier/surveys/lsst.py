"""Rubin/LSST alerts (schemas 7.4 to 11.1): Confluent framing, and schemas from elsewhere.

A message is a zero byte, the schema's id in four bytes (big-endian) and one record; an object
container of one record, as files of alerts may be, brings its own schema. Fluxes are nJy already.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from broker_classifier.errors import DecodeError, MessageError
from broker_classifier.surveys import diasources
from broker_classifier.surveys.alert import Alert, Decoder
from broker_classifier.surveys.avro.framing import Containers
from broker_classifier.surveys.avro.projection import Encoded, Projector
from broker_classifier.surveys.avro.schema_sources import SchemaSource

NAMES = diasources.Spelling("lsst", "midpointMjdTai", "psfFlux", "psfFluxErr", "band", "dec")
LAYOUT = diasources.layout(NAMES)
HEADER_SIZE = 5


def decoder(schemas: SchemaSource, fallbacks: Counter[str] | None = None) -> Decoder:
    """Make the decoder of LSST messages whose schemas this source knows.

    It raises `SchemasUnavailableError` while the source does not answer. A head is read up to the
    end of `diaSource`, and its object is the one that `diaSource` names.

    Parameters
    ----------
    schemas : SchemaSource
    fallbacks : Counter, optional
        See `Projector`.
    """
    containers, projector = Containers(), Projector(LAYOUT, fallbacks)

    def decode(messages: Sequence[bytes], *, head_only: bool = False) -> list[Alert | MessageError]:
        records = containers.records_or(messages, lambda message: encoded(message, schemas))
        return [
            alert
            for projected in projector.projections(records, head_only=head_only)
            for alert in diasources.alerts(projected, NAMES, head_only=head_only)
        ]

    return Decoder(decode, partial(decode, head_only=True))


def encoded(message: bytes, schemas: SchemaSource) -> Encoded | MessageError:
    """Take a message out of its frame, or say why that cannot be done."""
    if len(message) < HEADER_SIZE or message[0] != 0:
        return DecodeError(
            f"the message begins with {message[:HEADER_SIZE]!r}, not with a zero byte and a "
            "schema id; it is not in Confluent's framing"
        )
    try:
        schema = schemas.schema(int.from_bytes(message[1:HEADER_SIZE], "big"))
    except MessageError as error:
        return error
    return Encoded(message, HEADER_SIZE, len(message), schema)
