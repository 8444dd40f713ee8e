"""Rubin/LSST alerts (schemas 7.4 to 11.1): Confluent framing, and schemas from elsewhere.

A message is a zero byte, the schema's id in four bytes (big-endian) and one record; an object
container of one record, as files of alerts may be, brings its own schema. Fluxes are nJy already.
"""

from collections.abc import Sequence

from broker_classifier.errors import DecodeError, MessageError
from broker_classifier.surveys import diasources
from broker_classifier.surveys.alert import Alert, BatchDecoder
from broker_classifier.surveys.avro.framing import Containers
from broker_classifier.surveys.avro.projection import Encoded, Projector
from broker_classifier.surveys.avro.schema_sources import SchemaSource

NAMES = diasources.Spelling("lsst", "midpointMjdTai", "psfFlux", "psfFluxErr", "band", "dec")
LAYOUT = diasources.layout(NAMES)
HEADER_SIZE = 5


def decoder(schemas: SchemaSource, *, head_only: bool = False) -> BatchDecoder:
    """Make the decoder of LSST messages whose schemas this source knows.

    It raises `SchemasUnavailableError` while the source does not answer. With `head_only` it reads
    nothing after `diaSource`: each curve is the new detection alone, and the object the one that
    `diaSource` names.
    """
    projector, containers = Projector(LAYOUT), Containers()

    def decode_batch(messages: Sequence[bytes]) -> list[Alert | MessageError]:
        records = containers.records_or(messages, lambda one: encoded(one, schemas))
        projected = projector.project(records, head_only=head_only)
        return diasources.alerts(projected, NAMES, head_only=head_only)

    return decode_batch


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
