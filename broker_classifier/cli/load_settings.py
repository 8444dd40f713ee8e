"""Settings from a TOML file, the environment and a command's options; all of them as a table."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from broker_classifier.config import DEFAULTS, DELIMITER, PREFIX, Settings, Stream, SurveySettings
from broker_classifier.config_kafka import KafkaSettings
from broker_classifier.errors import ConfigError


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
    except SettingsError as error:
        msg = f"{error}; lists and tables are JSON in a variable: '[\"my-topic\"]'"
        raise ConfigError(msg) from error


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


def with_survey(settings: Settings, survey: Stream, **options: Any) -> Settings:
    """Replace settings of one stream by a command's options, where they were given."""
    given = {name: value for name, value in options.items() if value is not None}
    ours = settings.surveys.get(survey, SurveySettings()).model_copy(update=given)
    return settings.model_copy(update={"surveys": settings.surveys | {survey: ours}})


def settings_table() -> list[tuple[str, str, str]]:
    """List every setting as (name, default, sentence); the README's table is made of it.

    The settings of a stream are listed for ZTF, and for another where its default differs from
    that of any stream.
    """
    rows = [*_rows(Settings.model_construct(), ""), *_rows(DEFAULTS["ztf"], "surveys.ztf.")]
    usual = {sentence: default for _, default, sentence in _rows(SurveySettings(), "")}
    for name, ours in DEFAULTS.items():
        own = [row for row in _rows(ours, f"surveys.{name}.") if row[1] != usual[row[2]]]
        rows += [row for row in own if row not in rows]
    return rows


def _rows(section: BaseModel, prefix: str) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, field in type(section).model_fields.items():
        default = getattr(section, name)
        if isinstance(default, BaseModel):
            rows += _rows(default, f"{prefix}{name}.")
        elif name != "surveys":
            rows.append((prefix + name, _shown(default), field.description or ""))
    return rows


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if default or isinstance(default, float) else "none"


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
