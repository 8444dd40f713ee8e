"""Settings of the Kafkas that alerts come from and results go to."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from broker_classifier.config.secrets import Client

OURS = {
    "bootstrap.servers",
    "group.id",
    "group.instance.id",
    "transactional.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "acks",
}
"""librdkafka settings that are ours: they have settings of their own, or carry the guarantees."""


def without_guarantees(client: dict[str, Any]) -> dict[str, Any]:
    """Return librdkafka settings, or refuse those that are ours."""
    if taken := sorted(set(client) & OURS):
        msg = f"{', '.join(taken)} cannot be set here; what is not lost depends on it"
        raise ValueError(msg)
    return client


def moment_of(value: Any) -> datetime | None:
    """Read a date as people write it, or as TOML has it; UTC where no zone is given.

    >>> moment_of("2026-11-01").isoformat()
    '2026-11-01T00:00:00+00:00'

    Raises
    ------
    ValueError
        If it is none.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else value.isoformat())
    except (ValueError, AttributeError):
        msg = f"{value} is no date; write one as 2026-11-01 or 2026-11-01T18:00:00"
        raise ValueError(msg) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class KafkaSettings(_Section):
    """Where alerts come from and results go to."""

    bootstrap_servers: str = Field(
        "localhost:9092", description="Kafka's addresses: host:port, joined by commas."
    )
    group_id: str = Field("broker-classifier", description="Consumer group of all workers.")
    output_topic: str = Field("classifications", description="Topic of the class probabilities.")
    dead_letter_topic: str = Field(
        "dead-letters", description="Topic of the messages that could not be used."
    )
    shadow_topic: str = Field(
        "classifications-shadow",
        min_length=1,
        description="Topic of what bundles in shadow say, for `agree`.",
    )
    declined_topic: str = Field(
        "", description="Topic of declined alerts and why; none: they are only counted."
    )
    auto_offset_reset: Literal["earliest", "latest"] = Field(
        "earliest",
        description="Where reading begins on a partition without a committed offset; "
        "with latest, topics that come later are still read from their beginning.",
    )
    since: datetime | None = Field(
        None,
        description="Date from which it begins there instead, such as 2026-11-01; UTC, as Kafka "
        "stamps the messages.",
    )
    batch_size: int = Field(
        500, ge=1, le=100_000, description="Most alerts that are classified and committed at once."
    )
    poll_timeout_s: float = Field(
        0.5, gt=0, le=60, description="Longest wait for the first alert of a batch, seconds."
    )
    delivery_timeout_s: float = Field(
        30.0, gt=0, le=300, description="Longest wait for Kafka to confirm a batch, seconds."
    )
    retry_delay_s: float = Field(
        1.0, gt=0, le=300, description="Pause before a batch is tried again, seconds."
    )
    client: Client = Field(
        default_factory=dict,
        description="Further librdkafka settings of every client, such as sasl.* and ssl.*; a "
        'secret may be {file = "its file"} or {variable = "its variable"}.',
    )

    partitions: int = Field(
        1, ge=1, le=10_000, description="Partitions of the topics that the service makes."
    )
    replication: int = Field(
        -1, ge=-1, le=100, description="Copies of those topics; -1: as the broker is set."
    )
    retention_days: float | None = Field(
        None,
        gt=0,
        description="How long those topics keep messages, days; none: as the broker is set.",
    )
    output_client: Client = Field(
        default_factory=dict,
        description="librdkafka settings of what writes; those of client where it is not set.",
    )
    delivery: Literal["auto", "exactly_once", "at_least_once"] = Field(
        "auto",
        description="exactly_once puts results and offsets into one transaction, where alerts come "
        "from the same Kafka; at_least_once may repeat results under their id after a crash; auto "
        "is exactly_once where that can be had.",
    )
    session_timeout_s: float = Field(
        10.0, ge=6, le=300, description="Silence after which a worker's partitions go to others."
    )
    worker: str = Field(
        "",
        description="A name that this worker keeps when it is started again, unlike any other's; "
        "usually the machine's, with a number.",
    )

    @property
    def output(self) -> "KafkaSettings":
        """The settings of what writes."""
        return self.model_copy(update={"client": self.output_client or self.client})

    @property
    def output_topics(self) -> tuple[str, ...]:
        """Every topic that is written to."""
        topics = self.output_topic, self.dead_letter_topic, self.declined_topic, self.shadow_topic
        return tuple(filter(None, topics))

    @field_validator("since", mode="before")
    @classmethod
    def _read_the_date(cls, since: Any) -> Any:
        return moment_of(since)

    @field_validator("client", "output_client")
    @classmethod
    def _leave_the_guarantees_alone(cls, client: dict[str, Any]) -> dict[str, Any]:
        return without_guarantees(client)
