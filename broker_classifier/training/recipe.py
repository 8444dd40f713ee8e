"""A training recipe: all that decides what a training makes, except data and seed."""

import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from broker_classifier.errors import ConfigError
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.architectures import ARCHITECTURES, full_config, implied_config
from broker_classifier.model.bundle_files import BundleName, Version
from broker_classifier.model.grid_input import Grid
from broker_classifier.model.inputs import AnyInput
from broker_classifier.model.point_input import Normalisation
from broker_classifier.model.trees.prefix_features import Features
from broker_classifier.training.recipe_tables import (
    Augmentation,
    Card,
    HomogenisationRecipe,
    Optimisation,
    Trees,
)

_STRICT = ConfigDict(frozen=True, extra="forbid")


class Recipe(BaseModel):
    """The content of a recipe file.

    `normalisation` has the fields of `Normalisation`, for a grid network of `Grid`, for boosted
    trees of `Features`; `network` those of the architecture's configuration that do not follow from
    the rest. `members` of a blend are recipe files beside this one, by the name of each member.
    """

    model_config = _STRICT

    name: BundleName
    version: Version
    survey: str
    classes: tuple[str, ...] = Field(min_length=2)
    architecture: str = "streaming_attentive_gru"
    selection: Selection = Selection()
    normalisation: AnyInput = Normalisation()
    homogenisation: HomogenisationRecipe
    card: Card
    network: dict[str, int | float] = {}
    augmentation: Augmentation = Augmentation()
    optimisation: Optimisation = Optimisation()
    trees: Trees = Trees()
    members: dict[BundleName, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _input_by_default(cls, given: Any) -> Any:
        """Give the network the usual input of its kind where the recipe does not say another."""
        name = given.get("architecture") if isinstance(given, dict) else None
        if isinstance(name, str) and name in ARCHITECTURES and "normalisation" not in given:
            return {**given, "normalisation": ARCHITECTURES[name].input()}
        return given

    @model_validator(mode="after")
    def _each_class_is_named_once(self) -> Self:
        if len(set(self.classes)) < len(self.classes):
            msg = "classes: one is named twice"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _prefixes_can_be_weighed(self) -> Self:
        if isinstance(self.normalisation, Grid) and self.optimisation.share_by_days:
            msg = "optimisation.share_by_days: a grid network weighs prefixes by rank, leave it out"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _blends_alone_have_members(self) -> Self:
        if (self.architecture == "blend") != (len(self.members) > 1):
            msg = "members: a blend has two or more, other architectures have none"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _network_fits(self) -> Self:
        self.network_config()
        return self

    def network_config(self) -> dict[str, int | float]:
        """Give the complete configuration of the network, sizes and defaults included."""
        implied = implied_config(
            self.architecture, self.selection.bands, self.classes, self.normalisation
        )
        free = [k for k in ARCHITECTURES[self.architecture].config.model_fields if k not in implied]
        if unknown := sorted(set(self.network) - set(free)):
            msg = f"network.{unknown[0]}: no such key, there are {', '.join(free)}"
            raise ValueError(msg)
        return full_config(self.architecture, {**self.network, **implied})


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe from TOML.

    With `extends = "other.toml"` it says only how it differs from another recipe beside it.

    Raises
    ------
    ConfigError
        Names the file and the first keys that are wrong.
    """
    try:
        return Recipe.model_validate(_read_table(Path(path)))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"Recipe {path} cannot be read ({error}): give a TOML file like models/recipes/*.toml"
        raise ConfigError(msg) from error
    except ValidationError as error:
        wrong = "; ".join(_explained(e) for e in error.errors()[:5])
        msg = f"Recipe {path}: {wrong}. Correct these keys."
        raise ConfigError(msg) from error


def _explained(problem: ErrorDetails) -> str:
    """Name a key and what is wrong with it; if it does not exist, name the keys that do."""
    name = ".".join(map(str, problem["loc"]))
    if problem["type"] == "value_error":  # raised here, with the key in its sentence
        return str(problem["ctx"]["error"])
    if problem["type"] != "extra_forbidden":
        return f"{name}: {problem['msg']}"
    keys = _TABLES["/".join(map(str, problem["loc"][:-1]))].model_fields
    return f"{name}: no such key, there are {', '.join(keys)}"


_TABLES: dict[str, type[BaseModel]] = {
    "": Recipe,
    "selection": Selection,
    "normalisation/points": Normalisation,
    "normalisation/grid": Grid,
    "normalisation/features": Features,
    "homogenisation": HomogenisationRecipe,
    "card": Card,
    "augmentation": Augmentation,
    "optimisation": Optimisation,
    "trees": Trees,
}


def _read_table(path: Path, read_before: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path in read_before:
        msg = f"{path.name} extends itself"
        raise OSError(msg)
    table = tomllib.loads(path.read_text())
    if "extends" not in table:
        return table
    extended = path.with_name(str(table.pop("extends")))
    return _overridden(_read_table(extended, (*read_before, path)), table)


def _overridden(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Change the keys of a table, those of tables in it one by one."""
    return table | {
        key: _overridden(table[key], value)
        if isinstance(value, dict) and isinstance(table.get(key), dict)
        else value
        for key, value in changes.items()
    }
