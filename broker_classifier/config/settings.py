"""All settings, typed, with their defaults: a TOML file, overridden by `BROKER_*` variables.

`[kafka] batch_size = 200` in the file is `BROKER_KAFKA__BATCH_SIZE=200` in the environment; lists
and tables are JSON there. Unknown keys stop the start.
"""

import re
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from broker_classifier.config.bundles import BundleEntry, Respelled, respelled
from broker_classifier.config.kafka import KafkaSettings, without_guarantees
from broker_classifier.config.lasair import AnnotateSettings, LasairSettings
from broker_classifier.config.rules import Rules
from broker_classifier.config.secrets import Client, Secret
from broker_classifier.config.store import StoreSettings
from broker_classifier.config.web import WebSettings

Stream = Literal["ztf", "lsst", "elasticc", "lasair"]
USUAL_STREAM: Stream = "ztf"
FRAMED_STREAM: Stream = "lsst"  # the one whose messages only name their schema

PREFIX = "BROKER_"
DELIMITER = "__"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SurveySettings(_Section):
    """One survey: the topics of its alerts, and the bundles that classify them."""

    topics: tuple[str, ...] = Field(
        (), description="Its topics; one that begins with ^ is a pattern."
    )
    bootstrap_servers: str | None = Field(
        None, description="Its own Kafka; that of [kafka] where not set."
    )
    group_id: str | None = Field(None, description="Its own consumer group.")
    client: Client = Field(
        default_factory=dict,
        description="librdkafka settings for it alone. Its own Kafka gets none of kafka.client.",
    )
    bundles: tuple[BundleEntry, ...] = Field(
        (),
        description="Model bundles for its alerts: shipped ones' names, folders, or tables with "
        "name and shadow; bundle = NAME for one alone. []: they are declined.",
    )
    schemas: Path | None = Field(
        None, description="Folder of .avsc files, for messages that do not bring their schema."
    )
    schema_registry: Secret | None = Field(
        None,
        description="Address of the Schema Registry that knows them, instead; it may hold a user "
        "and a password.",
    )
    history_days: float = Field(
        1.0,
        ge=0,
        description="Read an object's history again only after so many days; 1 where not set. 0: "
        "with every alert, as is done for a bundle that takes forced photometry.",
    )
    rules: Rules = Rules()

    @model_validator(mode="before")
    @classmethod
    def _take_a_single_bundle(cls, table: Any) -> Any:
        return respelled(table)

    @field_validator("client")
    @classmethod
    def _leave_the_guarantees_alone(cls, client: dict[str, Any]) -> dict[str, Any]:
        return without_guarantees(client)

    @field_validator("topics")
    @classmethod
    def _name_topics(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for name in topics:
            if not name:
                msg = "a topic's name is empty"
                raise ValueError(msg)
            try:
                re.compile(name)
            except re.error as error:
                msg = f"{name} is no pattern: {error}"
                raise ValueError(msg) from error
        return topics


# A ZTF history is read in less time than it takes to look whether it is needed.
ZTF = SurveySettings(
    topics=("^ztf_.*",), bundles=(BundleEntry(name=Path("ztf-transients")),), history_days=0.0
)
SIX_BANDS = SurveySettings(bundles=(BundleEntry(name=Path("lsst-transients")),))
DEFAULTS: dict[str, SurveySettings] = {
    "ztf": ZTF,
    "lsst": SIX_BANDS,
    "elasticc": SIX_BANDS,
}
"""What holds for a stream unless its table says otherwise; Lasair's rows are of ZTF or LSST."""


class MetricsSettings(_Section):
    """The HTTP port of /metrics and /health."""

    host: str = Field("127.0.0.1", description="Address that /metrics and /health listen on.")
    port: int = Field(
        9109, ge=0, le=65535, description="Port of /metrics and /health; 0: any free one."
    )


class LogSettings(_Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is logged."
    )
    format: Literal["json", "text"] = Field("json", description="One JSON object a line, or text.")


class Settings(BaseSettings):
    """The whole tree; every section has defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    surveys: dict[str, SurveySettings] = Field(
        default_factory=lambda: dict(DEFAULTS),
        description="One table a stream: [surveys.ztf], lsst, elasticc, lasair.",
    )
    lasair: LasairSettings = LasairSettings()
    annotate: AnnotateSettings = AnnotateSettings()
    store: StoreSettings = StoreSettings()
    metrics: MetricsSettings = MetricsSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    model_threads: int = Field(
        1, ge=1, le=64, description="Threads of one model run; one is fastest beside others."
    )

    @field_validator("surveys", mode="before")
    @classmethod
    def _keep_what_is_not_named(cls, tables: Any) -> Any:
        """Let [surveys.ztf] change one key of its default, and other tables add to it."""
        if not isinstance(tables, dict):
            return tables
        if unknown := set(tables) - set(get_args(Stream)):
            msg = f"no such survey: {', '.join(unknown)}; known are {', '.join(get_args(Stream))}"
            raise ValueError(msg)
        if not all(isinstance(tables.get(name, {}), dict) for name in DEFAULTS):
            return tables
        return tables | {
            name: default.model_dump() | tables.get(name, {}) for name, default in DEFAULTS.items()
        }

    @model_validator(mode="after")
    def _keep_outputs_out_of_the_input(self) -> Self:
        outputs = self.kafka.output_topics
        if len(set(outputs)) < len(outputs):
            msg = (
                "kafka.output_topic, kafka.dead_letter_topic, kafka.declined_topic and "
                "kafka.shadow_topic must differ"
            )
            raise ValueError(msg)
        for survey, table in self.surveys.items():
            for name in table.topics:
                if read := [topic for topic in outputs if topic_matches(name, topic)]:
                    msg = f"surveys.{survey}.topics reads what is written: {name} takes {read[0]}"
                    raise ValueError(msg)
        return self

    def kafka_of(self, stream: str) -> KafkaSettings:
        """Return the settings of the Kafka that a stream's alerts come from."""
        survey, kafka = self.surveys[stream], self.kafka
        client = survey.client if survey.bootstrap_servers else kafka.client | survey.client
        own = {
            "bootstrap_servers": survey.bootstrap_servers or kafka.bootstrap_servers,
            "group_id": survey.group_id or kafka.group_id,
            "client": client,
        }
        return kafka.model_copy(update=own)

    @property
    def written_topics(self) -> tuple[str, ...]:
        """Every topic that a worker writes to: the shadow topic only if a bundle is in shadow."""
        is_shadowed = any(e.shadow for table in self.surveys.values() for e in table.bundles)
        unused = () if is_shadowed else (self.kafka.shadow_topic,)
        return tuple(topic for topic in self.kafka.output_topics if topic not in unused)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file, which comes in as initial values."""
        return Respelled(settings_cls, env_settings), Respelled(settings_cls, init_settings)


def topic_matches(name: str, topic: str) -> bool:
    """Tell whether a topic is meant by a name of the settings; ^ begins a pattern.

    >>> topic_matches("^ztf_.*", "ztf_20210701_programid1"), topic_matches("ztf", "ztf_2")
    (True, False)
    """
    return topic == name or (name.startswith("^") and re.match(name, topic) is not None)
