"""What stands in the files of a bundle: its description, and the cases that it must answer."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from broker_classifier.light_curve import Kind, LightCurve, light_curve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.architectures import full_config, implied_config
from broker_classifier.model.calibration import Calibration
from broker_classifier.model.inputs import AnyInput

FORMAT_VERSION: Literal[1] = 1
BundleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Version = Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+-]{0,15}$")]
_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrainingRecord(BaseModel):
    """Where the weights come from: data sets, objects per split and class, code, seed, date.

    `alerts_only` are classes whose forced photometry was kept from the training; `fold` says which
    objects were tested (`training.data.split`).
    """

    model_config = _STRICT

    data: str
    n_objects: dict[str, dict[str, int]]
    recipe: str
    commit: str
    seed: int
    date: str
    alerts_only: tuple[str, ...] = ()
    fold: int = Field(0, ge=0)


class Description(BaseModel):
    """The content of `bundle.json`.

    `members` are the hashes of a blend's members, by the names of their folders.
    """

    model_config = _STRICT

    format_version: Literal[1] = FORMAT_VERSION
    name: BundleName
    version: Version
    architecture: str
    config: dict[str, int | float]
    survey: str
    classes: tuple[str, ...] = Field(min_length=2)
    selection: Selection
    input: AnyInput = Field(alias="normalisation")
    calibration: Calibration
    training: TrainingRecord
    members: dict[BundleName, str] = {}
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if len(self.calibration.prior) != len(self.classes):
            msg = f"{len(self.classes)} classes, but the calibration is for another number"
            raise ValueError(msg)
        implied = implied_config(self.architecture, self.selection.bands, self.classes, self.input)
        config = full_config(self.architecture, dict(self.config))
        for name, value in implied.items():
            if config[name] != value:
                msg = f"config.{name}: classes, bands and input make {value}, not {config[name]}"
                raise ValueError(msg)
        return self


class GoldenCase(BaseModel):
    """A light curve as columns, and the probabilities that it must give."""

    model_config = _STRICT

    name: str
    mjd: list[float]
    psf_flux: list[float]
    psf_flux_err: list[float]
    band: list[str]
    kind: list[Literal["DETECTION", "UPPER_LIMIT", "FORCED"]]
    probabilities: list[float]

    def curve(self) -> LightCurve:
        """Build the light curve."""
        kinds = [Kind[name] for name in self.kind]
        return light_curve(self.mjd, self.psf_flux, self.psf_flux_err, self.band, kinds)


class Golden(BaseModel):
    """The content of `golden.json`."""

    model_config = _STRICT

    cases: list[GoldenCase] = Field(min_length=1)
