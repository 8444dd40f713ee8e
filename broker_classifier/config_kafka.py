"""Settings of the Kafkas that alerts come from and results go to."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

OURS = {
    "bootstrap.servers",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "acks",
}
"""librdkafka settings that are ours: they have settings of their own, or carry the guarantees."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(_Section):
    """Where alerts come from and results go to."""

    bootstrap_servers: str = Field(
        "localhost:9092", description="Kafka's addresses: host:port, joined by commas."
    )
    group_id: str = Field("broker-classifier", description="Consumer group; one worker a store.")
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

    @property
    def output_topics(self) -> tuple[str, ...]:
        """Every topic that is written to."""
        return tuple(filter(None, (self.output_topic, self.dead_letter_topic, self.declined_topic)))

    @field_validator("client")
    @classmethod
    def _leave_the_guarantees_alone(cls, client: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(set(client) & OURS):
            msg = f"{', '.join(taken)} cannot be set here; what is not lost depends on it"
            raise ValueError(msg)
        return client
