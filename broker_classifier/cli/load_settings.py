"""Settings from a TOML file, the environment and a command's options; all of them as a table."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from broker_classifier.config import DEFAULTS, DELIMITER, PREFIX, Settings, Stream, SurveySettings
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import ConfigError

_WRONG_KINDS = {
    "extra_forbidden": "no such setting",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "string_type": "must be a text in quotes",
    "path_type": "must be a path in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


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
        raise ConfigError(_explain(error)) from None
    except SettingsError as error:
        msg = f"{error}; lists and tables are JSON in a variable: '[\"my-topic\"]'"
        raise ConfigError(msg) from None


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
        raise ConfigError(_explain(error)) from None
    return settings.model_copy(update={"kafka": kafka})


def with_survey(settings: Settings, survey: Stream, **options: Any) -> Settings:
    """Replace settings of one stream by a command's options, where they were given."""
    given = {name: value for name, value in options.items() if value is not None}
    before = settings.surveys.get(survey, SurveySettings())
    table = SurveySettings.model_validate(before.model_dump() | given)
    return settings.model_copy(update={"surveys": settings.surveys | {survey: table}})


def without_rules(settings: Settings) -> Settings:
    """Switch off the rules that decline what is no transient, for every stream."""
    tables = {stream: settings.surveys.get(stream, SurveySettings()) for stream in get_args(Stream)}
    off = {s: t.model_copy(update={"rules": t.rules.off()}) for s, t in tables.items()}
    return settings.model_copy(update={"surveys": off})


def settings_table() -> list[tuple[str, str, str]]:
    """List every setting as (name, default, sentence); the documentation's table is made of it.

    The settings of a stream are listed for ZTF, and for another where its default differs from
    that of any stream.
    """
    rows = [*_rows(Settings.model_construct(), ""), *_rows(DEFAULTS["ztf"], "surveys.ztf.")]
    usual = {sentence: default for _, default, sentence in _rows(SurveySettings(), "")}
    for name, table in DEFAULTS.items():
        own = [row for row in _rows(table, f"surveys.{name}.") if row[1] != usual[row[2]]]
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
            names = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
            reason = f"the variable {variable} is no setting; they begin with {names}"
            raise ConfigError(reason)


def _explain(error: ValidationError) -> str:
    problems = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        words = problem_in_words(problem["type"], problem.get("ctx", {}), problem["msg"])
        problems.append(f"{name}: {words}" if name else words)
    return (
        "wrong settings: "
        + "; ".join(problems)
        + ". `broker-classifier settings` lists every setting"
    )


def problem_in_words(kind: str, context: Mapping[str, Any], message: str) -> str:
    """Say what is wrong with a value without the words of pydantic.

    >>> problem_in_words("tuple_type", {}, "Input should be a valid tuple")
    'must be a list'
    >>> problem_in_words("less_than_equal", {"le": 65535}, "")
    'must be at most 65535'
    """
    if kind == "value_error":
        return str(context["error"])
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"must be {words} {context[bound]}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}"
    return _WRONG_KINDS.get(kind, message)
