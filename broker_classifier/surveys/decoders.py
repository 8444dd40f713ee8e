"""The decoder of every stream, opened as the settings say."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from broker_classifier.config import Stream, SurveySettings
from broker_classifier.config.lasair import LasairSettings
from broker_classifier.errors import ConfigError, SchemaError
from broker_classifier.surveys import elasticc, lasair, lsst, ztf
from broker_classifier.surveys.alert import Decoder
from broker_classifier.surveys.avro.schema_registry import registry_schemas
from broker_classifier.surveys.avro.schema_sources import (
    SchemaSource,
    folder_schemas,
    schemas_in_folder,
)
from broker_classifier.surveys.lasair_api import object_apis


def open_decoders(
    surveys: Mapping[str, SurveySettings],
    lasair_api: LasairSettings,
    fallbacks: Counter[str] | None = None,
) -> dict[str, Decoder]:
    """Open the decoder of every stream; a stream without settings reads what brings its schema.

    Parameters
    ----------
    surveys, lasair_api
        Sections of the settings.
    fallbacks : Counter, optional
        Counts, by survey, the records whose schema could not be compiled, so that fastavro read
        them.

    Raises
    ------
    ConfigError
        If a folder of schemas has none, or the Schema Registry's address is impossible.
    """
    settings = {name: surveys.get(name, SurveySettings()) for name in get_args(Stream)}
    apis = object_apis(
        lasair_api.lsst_token.get_secret_value(),
        lasair_api.ztf_token.get_secret_value(),
        lsst_endpoint=lasair_api.lsst_endpoint,
        ztf_endpoint=lasair_api.ztf_endpoint,
        calls_per_hour=lasair_api.calls_per_hour,
    )
    rule = settings["ztf"].rules.solar_system
    passing_arcsec = rule.within_arcsec if rule.on else 0.0
    return {
        "ztf": ztf.decoder(fallbacks, passing_arcsec),
        "lsst": lsst.decoder(_lsst_schemas(settings["lsst"]), fallbacks),
        "elasticc": elasticc.decoder(_elasticc_schema(settings["elasticc"].schemas), fallbacks),
        "lasair": lasair.decoder(apis, passing_arcsec),
    }


class NoSchemas:
    """A `SchemaSource` where none is set: every message that needs one is a dead letter."""

    def schema(self, schema_id: int) -> bytes:
        """Say what to set."""
        msg = (
            f"the message names the schema {schema_id}, and nothing knows it: set "
            "surveys.lsst.schemas (--schemas) to a folder of .avsc files, or "
            "surveys.lsst.schema_registry"
        )
        raise SchemaError(msg)


def _lsst_schemas(settings: SurveySettings) -> SchemaSource:
    if settings.schemas:
        return folder_schemas(settings.schemas)
    if settings.schema_registry:
        return registry_schemas(settings.schema_registry.get_secret_value())
    return NoSchemas()


def _elasticc_schema(folder: Path | None) -> bytes:
    if folder is None:
        return b""
    alerts = [text for name, text in schemas_in_folder(folder).items() if "elasticc" in name]
    if not alerts:
        msg = f"{folder} has no schema elasticc.*.alert; give the folder that has"
        raise ConfigError(msg)
    return alerts[-1]
