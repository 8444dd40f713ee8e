"""Which bundles answer a survey's alerts: `bundles = [...]`, or `bundle = "..."` for one alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

NONE = "none"


class BundleEntry(BaseModel):
    """A bundle: its name, or a table of its name and how it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Path = Field(description="A shipped bundle's name, or a bundle's folder.")
    shadow: bool = Field(
        False, description="Whether its answers go to kafka.shadow_topic, to be compared."
    )

    @model_validator(mode="before")
    @classmethod
    def _take_a_name(cls, entry: Any) -> Any:
        return {"name": entry} if isinstance(entry, str | Path) else entry

    def __str__(self) -> str:
        return f"{self.name} (in shadow)" if self.shadow else str(self.name)


def respelled(table: Any) -> Any:
    """Write `bundle`, of a survey's table, as `bundles`.

    >>> respelled({"bundle": "ztf-transients"}), respelled({"bundle": "none"})
    ({'bundles': ['ztf-transients']}, {'bundles': []})

    Raises
    ------
    ValueError
        If the table has both.
    """
    if not isinstance(table, dict) or "bundle" not in table:
        return table
    if "bundles" in table:
        msg = "set bundles or bundle, not both"
        raise ValueError(msg)
    others, bundle = {k: v for k, v in table.items() if k != "bundle"}, table["bundle"]
    return others | {"bundles": [] if bundle is None or str(bundle) == NONE else [bundle]}


class Respelled(PydanticBaseSettingsSource):
    """A source of settings, respelled before the next overrides it: either has its own spelling.

    Parameters
    ----------
    settings_cls : type of BaseSettings
    source : callable
        Gives the settings as they are written.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], source: Callable[[], dict[str, Any]]
    ) -> None:
        super().__init__(settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Do nothing: all fields are asked for at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings; a table with both spellings is left to be refused."""
        settings = self._source()
        surveys = settings.get("surveys")
        if not isinstance(surveys, dict):
            return settings
        tables = {
            name: table if isinstance(table, dict) and "bundles" in table else respelled(table)
            for name, table in surveys.items()
        }
        return settings | {"surveys": tables}
