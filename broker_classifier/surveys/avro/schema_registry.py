"""Schemas from a Schema Registry, each fetched once, by Confluent's client."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker_classifier.config.secrets import without_password
from broker_classifier.errors import ConfigError, SchemaError, SchemasUnavailableError
from broker_classifier.surveys.avro.schema_sources import self_contained

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

FORGET_UNKNOWN_S = 60.0
_NOT_FOUND = 404


@dataclass
class RegistrySchemas:
    """The schemas fetched so far; an unknown id is asked for again after a minute.

    Attributes
    ----------
    fetch : callable
        Returns the self-contained schema of an id, or None if the registry has none; raises
        `SchemasUnavailableError`, or `SchemaError` for one that is not Avro's.
    """

    fetch: Callable[[int], bytes | None]
    clock: Callable[[], float] = time.monotonic
    by_id: dict[int, bytes] = field(default_factory=dict)
    unknown_until: dict[int, float] = field(default_factory=dict)

    def schema(self, schema_id: int) -> bytes:
        """Return the schema of an id; see `SchemaSource`."""
        if schema_id in self.by_id:
            return self.by_id[schema_id]
        if self.clock() >= self.unknown_until.get(schema_id, 0.0):
            schema = self.fetch(schema_id)
            if schema is not None:
                return self.by_id.setdefault(schema_id, schema)
            self.unknown_until[schema_id] = self.clock() + FORGET_UNKNOWN_S
        msg = f"the Schema Registry has no schema with the id {schema_id}"
        raise SchemaError(msg)


def registry_schemas(url: str, **client: Any) -> RegistrySchemas:
    """Open a Schema Registry; the client retries by itself before it gives up.

    Parameters
    ----------
    url : str
    client
        Further settings of Confluent's client, such as `basic.auth.user.info`.

    Raises
    ------
    ConfigError
        If the client refuses a setting.
    """
    from confluent_kafka.schema_registry import SchemaRegistryClient

    address = without_password(url)
    try:
        registry = SchemaRegistryClient({"url": url, "timeout": 10, **client})
    except (TypeError, ValueError) as error:
        reason = str(error).replace(url, address)
        msg = f"the Schema Registry {address} cannot be used: {reason}"
        raise ConfigError(msg) from None
    return RegistrySchemas(lambda schema_id: _fetched(registry, address, schema_id))


def _fetched(registry: "SchemaRegistryClient", address: str, schema_id: int) -> bytes | None:
    import httpx2
    from confluent_kafka.schema_registry import SchemaRegistryError

    try:
        schema = registry.get_schema(schema_id)
        others = list(_referenced(registry, schema))
    except SchemaRegistryError as error:
        if error.http_status_code == _NOT_FOUND:
            return None
        msg = f"the Schema Registry {address} does not give schema {schema_id}: {error}"
        raise SchemasUnavailableError(msg) from error
    except httpx2.HTTPError as error:
        msg = f"the Schema Registry {address} does not answer: {error!r}"
        raise SchemasUnavailableError(msg) from error
    try:
        return self_contained(schema.schema_str or "", others)
    except SchemaError as error:
        msg = f"schema {schema_id} of the Schema Registry {address} cannot be used: {error}"
        raise SchemaError(msg) from error


def _referenced(registry: "SchemaRegistryClient", schema: "Schema") -> Iterator[str]:
    """Yield the schemas that a schema refers to, and those that they refer to."""
    for reference in schema.references or ():
        other = registry.get_version(reference.subject or "", reference.version or 1).schema
        yield other.schema_str or ""
        yield from _referenced(registry, other)
