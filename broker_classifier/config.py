"""All settings, typed, with their defaults: a TOML file, overridden by `BROKER_*` variables.

`[kafka] batch_size = 200` in the file is `BROKER_KAFKA__BATCH_SIZE=200` in the environment; lists
and tables are JSON there. Unknown keys stop the start.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from broker_classifier.errors import ConfigError

PREFIX = "BROKER_"
DELIMITER = "__"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(_Section):
    """Where alerts come from and results go to."""

    bootstrap_servers: str = Field("localhost:9092", description="Kafka's address, host:port,…")
    group_id: str = Field("broker-classifier", description="Consumer group; one worker a store.")
    output_topic: str = Field("classifications", description="Topic of the class probabilities.")
    dead_letter_topic: str = Field(
        "dead-letters", description="Topic of the messages that could not be used."
    )
    auto_offset_reset: Literal["earliest", "latest"] = Field(
        "earliest", description="Where a new consumer group starts to read."
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


class SurveySettings(_Section):
    """One survey: the topics of its alerts, and the bundle that classifies them."""

    topics: tuple[str, ...] = Field(
        ("^ztf_.*",), min_length=1, description="Its topics; one that begins with ^ is a pattern."
    )
    bundle: Path = Field(
        Path("models/ztf-transients"), description="Folder of the model bundle for its alerts."
    )


class StoreSettings(_Section):
    """Where light curves are kept."""

    path: str = Field(
        "light-curves", description="Folder of the store; memory keeps it as long as the process."
    )
    retention_days: float = Field(
        400.0, gt=0, description="Objects without an alert for this many days are forgotten."
    )
    prune_interval_s: float = Field(
        3600.0, gt=0, description="How often such objects are looked for, seconds."
    )


class MetricsSettings(_Section):
    """The HTTP port of /metrics and /health."""

    host: str = Field("127.0.0.1", description="Address that /metrics and /health listen on.")
    port: int = Field(9109, ge=0, le=65535, description="Their port; 0 takes any free one.")


class LogSettings(_Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is logged."
    )
    format: Literal["json", "text"] = Field("json", description="One JSON object a line, or text.")


class Settings(BaseSettings):
    """The whole tree; every section has defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True
    )

    kafka: KafkaSettings = KafkaSettings()
    surveys: dict[str, SurveySettings] = Field(
        default_factory=lambda: {"ztf": SurveySettings()},
        description="One table a survey, [surveys.ztf] for instance.",
    )
    store: StoreSettings = StoreSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    model_threads: int = Field(
        1, ge=1, le=64, description="Threads of one model run; one is fastest beside others."
    )

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
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file, if one is given, and the environment.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a key is unknown or has an impossible value.
    """
    _refuse_unknown_variables()
    try:
        return Settings(**_read_toml(path) if path else {})
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def with_kafka(settings: Settings, **options: Any) -> Settings:
    """Replace Kafka settings by a command's options, where they were given (are not None).

    Raises
    ------
    ConfigError
        If a value is impossible.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        kafka = KafkaSettings.model_validate(settings.kafka.model_dump() | given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error
    return settings.model_copy(update={"kafka": kafka})


def with_bundle(settings: Settings, survey: str, bundle: Path | None) -> Settings:
    """Replace the bundle of one survey by a command's option, where it was given."""
    if bundle is None:
        return settings
    ours = settings.surveys.get(survey, SurveySettings()).model_copy(update={"bundle": bundle})
    return settings.model_copy(update={"surveys": settings.surveys | {survey: ours}})


def settings_table() -> list[tuple[str, str, str]]:
    """List every setting as (name, default, sentence); the README's table is made of it."""
    survey = _rows(SurveySettings, "surveys.ztf.")
    return [row for row in _rows(Settings, "") if not row[0].startswith("surveys")] + survey


def _rows(section: type[BaseModel], prefix: str) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            rows += _rows(type(default), f"{prefix}{name}.")
        else:
            rows.append((prefix + name, _shown(default), field.description or ""))
    return rows


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return str(default) if default != {} else "none"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        reason = f"the settings file {path} does not exist; name an existing one with --config"
        raise ConfigError(reason) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = f"the settings file {path} cannot be read as TOML: {error}"
        raise ConfigError(reason) from error


def _refuse_unknown_variables() -> None:
    for variable in os.environ:
        section = variable.removeprefix(PREFIX).split(DELIMITER)[0].lower()
        if variable.startswith(PREFIX) and section not in Settings.model_fields:
            known = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
            reason = f"the variable {variable} is no setting; they begin with {known}"
            raise ConfigError(reason)


def _explain(error: ValidationError) -> str:
    problems = []
    for problem in error.errors():
        name = ".".join(map(str, problem["loc"]))
        unknown = problem["type"] == "extra_forbidden"
        problems.append(f"{name}: {'no such setting' if unknown else problem['msg']}")
    return "wrong settings: " + "; ".join(problems) + ". README lists every setting"
