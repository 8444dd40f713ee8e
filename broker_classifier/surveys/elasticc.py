"""ELAsTiCC alerts (schema 0.9.1), simulated LSST alerts: bare records of one known schema.

Fluxes have the AB zero point 27.5 of SNANA. An object container of one record, as the challenge
distributed samples, is read as well.
"""

from collections import Counter
from collections.abc import Sequence

from broker_classifier.errors import MessageError, SchemaError
from broker_classifier.light_curve.photometry import SNANA_FLUX_UNIT_NJY
from broker_classifier.surveys import diasources
from broker_classifier.surveys.alert import Alert, Decoder
from broker_classifier.surveys.avro.framing import Containers
from broker_classifier.surveys.avro.projection import Encoded, Projector

NO_SCHEMA = (
    "the message is a bare record, and nothing says by which schema: set surveys.elasticc.schemas "
    "(--schemas) to a folder with elasticc.v0_9_1.alert.avsc and the files that it names"
)
NAMES = diasources.Spelling(
    survey="elasticc",
    mjd="midPointTai",
    flux="psFlux",
    flux_err="psFluxErr",
    band="filterName",
    dec="decl",
    njy_per_flux=SNANA_FLUX_UNIT_NJY,
)
LAYOUT = diasources.layout(NAMES)


def decoder(schema: bytes, fallbacks: Counter[str] | None = None) -> Decoder:
    """Make the decoder of messages that are bare records of this schema (JSON).

    Without one (empty), only object containers can be read.
    `schema_sources.schemas_in_folder(path)["elasticc.v0_9_1.alert"]` reads it from .avsc files.
    """
    containers, projector = Containers(), Projector(LAYOUT, fallbacks)

    def bare(message: bytes) -> Encoded | MessageError:
        return Encoded(message, 0, len(message), schema) if schema else SchemaError(NO_SCHEMA)

    def decode(messages: Sequence[bytes]) -> list[Alert | MessageError]:
        records = containers.records_or(messages, bare)
        return [
            alert
            for projected in projector.projections(records)
            for alert in diasources.alerts(projected, NAMES)
        ]

    return Decoder(decode)
