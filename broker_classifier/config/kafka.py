"""Settings of the Kafkas that alerts come from and results go to."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

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


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
    declined_topic: str = Field(
        "", description="Topic of declined alerts and why; none: they are only counted."
    )
    auto_offset_reset: Literal["earliest", "latest"] = Field(
        "earliest", description="Where reading begins on a partition without a committed offset."
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
    client: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Further librdkafka settings of every client, such as sasl.* and ssl.*.",
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
    output_client: dict[str, str | int | float | bool] = Field(
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
        return tuple(filter(None, (self.output_topic, self.dead_letter_topic, self.declined_topic)))

    @field_validator("client", "output_client")
    @classmethod
    def _leave_the_guarantees_alone(cls, client: dict[str, Any]) -> dict[str, Any]:
        return without_guarantees(client)
