"""What subscribers read, as pydantic models; the JSON Schema beside them is made of these."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION: Literal[2] = 2
SCHEMA_FILE = "classification.schema.json"
NOT_CLASSIFIED = "NotClassified"  # as ELAsTiCC's brokerClassification names it

Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    # Fields that a later version adds are no error for who reads with this one.
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class PointMessage(_Part):
    """One point of the light curve that the classifier was given."""

    mjd: float = Field(description="Time, MJD in UTC (days).")
    band: Literal["u", "g", "r", "i", "z", "y"]
    kind: Literal["detection", "upper_limit", "forced"]
    psf_flux: float | None = Field(description="Difference flux, nJy; null for upper limits.")
    psf_flux_err: float = Field(
        description="Its one-sigma error, nJy; a fifth of the limit for upper limits."
    )
    attention: Probability | None = Field(
        description="Weight of this point in the attention; null where it was not used, and "
        "everywhere if the model has no attention."
    )
    rejected: str | None = Field(description="Why this point was not used; null where it was.")


class ContextMessage(_Part):
    """What the survey's packet says of the source; null where it says nothing."""

    reliability: float | None = Field(
        None, description="Real-bogus score of the detection, 0 (bogus) to 1 (real)."
    )
    reliability_score: str | None = Field(
        None, description="Which score that is: drb or rb of ZTF, reliability of LSST."
    )
    is_dipole: bool | None = Field(
        None, description="Whether a positive and a negative source fit the detection well."
    )
    solar_system_arcsec: float | None = Field(
        None, description="Distance from the nearest known solar-system object."
    )
    solar_system_name: str | None = Field(None, description="That object's name or number.")
    catalogue_arcsec: float | None = Field(
        None, description="Distance from the nearest catalogued source (ZTF: of Pan-STARRS)."
    )
    star_score: float | None = Field(
        None, description="How star-like that source is, 0 to 1; 0.5 where that is not known."
    )
    catalogue_magnitude: float | None = Field(None, description="Its r magnitude, AB.")
    catalogue_colour: float | None = Field(None, description="Its r minus z, magnitudes.")
    gaia_arcsec: float | None = Field(None, description="Distance from Gaia's nearest source.")
    gaia_magnitude: float | None = Field(None, description="That source's G magnitude.")
    template_flux: float | None = Field(
        None, description="Flux of a point source at this place in the template, nJy (AB)."
    )
    science_flux: float | None = Field(None, description="The same in the new image, nJy (AB).")
    extendedness: float | None = Field(
        None, description="Of the detection in the difference image, 0 (point) to 1."
    )
    first_detection_mjd: float | None = Field(
        None, description="When the survey first detected something here, MJD in UTC (days)."
    )
    n_detections: int | None = Field(
        None, description="How often the survey has detected something here."
    )
    n_visits: int | None = Field(None, description="How often the survey has looked.")
    n_negative: int | None = Field(
        None, description="Detections in the packet that are fainter than the template."
    )
    negative_share: float | None = Field(
        None, description="How much fainter in the mean, as a share of template_flux."
    )
    n_sign_changes: int | None = Field(
        None, description="Changes of sign within 30 days, the most in any one band."
    )
    n_nights_of_each_sign: int | None = Field(
        None,
        description="Of the last 30 days' nights with a positive and those with a negative "
        "detection, the fewer; each night counts once a band.",
    )
    galactic_latitude: float | None = Field(None, description="Degrees.")
    sherlock_class: str | None = Field(
        None, description="Lasair's class of what is catalogued here, such as SN, AGN or VS."
    )


class ModelMessage(_Part):
    """The bundle that computed the probabilities."""

    name: str
    version: str
    hash: str = Field(description="SHA-256 over the bundle's weights and description.")


class TimesMessage(_Part):
    """When the detection was made, received and classified; ISO 8601, UTC."""

    observed: datetime
    received: datetime | None = Field(
        description="Kafka's timestamp of the alert, of the newest one in a revision."
    )
    classified: datetime


class ClassificationMessage(_Part):
    """Class probabilities of one object, as known at one of its alerts."""

    schema_version: Literal[2] = SCHEMA_VERSION
    id: str = Field(
        description="Alert id, bundle name and version: a repeat or a revision has the same. Where "
        "at_mjd is not null, it follows them."
    )
    survey: str
    object_id: str
    alert_id: int = Field(description="64-bit integer: ZTF candid, LSST diaSourceId.")
    alert_id_str: str = Field(
        description="The alert id as text, for readers whose numbers are exact to 2^53 only."
    )
    mjd: float = Field(description="Time of the alert's detection, MJD in UTC (days).")
    at_mjd: float | None = Field(
        None,
        description="When the answer was asked for, MJD in UTC (days), where that was after the "
        "alert; null in what the service publishes.",
    )
    ra: float | None = Field(description="J2000, degrees; of the newest alert in a revision.")
    dec: float | None = Field(description="J2000, degrees; of the newest alert in a revision.")
    revised: bool = Field(
        description="True where late points may have changed the outcome given before."
    )
    curve_version: int = Field(
        ge=0,
        description="Of the object's light curve. Of messages with the same id the one with the "
        "highest stands; it may come before others.",
    )
    top_class: str = Field(
        alias="class",
        description="The most probable class. NotClassified takes back an answer given before: "
        "late points have left none that the model uses.",
    )
    probability: Probability = Field(description="Its probability.")
    probabilities: dict[str, Probability] = Field(
        description="By class name, under the bundle's prior, the class frequencies of its "
        "training objects; they sum to 1."
    )
    probabilities_equal_prior: dict[str, Probability] = Field(
        description="By class name, as if all classes were equally frequent: each probability over "
        "its prior, normalised. A rare class is seldom on top of the others early on; here it is."
    )
    information_bits: float | None = Field(
        ge=0,
        description="What the light curve said: the Kullback-Leibler divergence of the "
        "probabilities from the prior, in bits. Near 0, the probabilities are the prior's. null in "
        "a message of schema version 1.",
    )
    n_points_used: int = Field(ge=0)
    n_points_rejected: dict[str, int] = Field(description="By reason.")
    light_curve: list[PointMessage] = Field(
        description="Every point up to the alert, as known when it was classified, in time."
    )
    context: ContextMessage = Field(
        ContextMessage(),
        description="What the packet says of the source; that of the newest alert in a revision.",
    )
    model: ModelMessage
    times: TimesMessage

    def to_dict(self) -> dict[str, Any]:
        """Give the message as it was published: what `json.loads` makes of it."""
        return self.model_dump(mode="json", by_alias=True)

    @staticmethod
    def to_pandas(messages: "Iterable[ClassificationMessage]") -> "pd.DataFrame":
        """Make a table of messages, a row each; see `streams.result_tables.row`."""
        from broker_classifier.streams.result_tables import to_pandas

        return to_pandas(messages)

    @model_validator(mode="before")
    @classmethod
    def _read_version_1(cls, content: Any) -> Any:
        """Fill in what messages of version 1, still in a topic, do not say."""
        if isinstance(content, dict) and content.get("schema_version") == 1:
            unsaid: dict[str, Any] = {"probabilities_equal_prior": {}, "information_bits": None}
            return (
                unsaid | content | {"schema_version": 2, "alert_id_str": str(content["alert_id"])}
            )
        return content


def parse(value: bytes) -> ClassificationMessage:
    """Read and check a published message; pydantic's `ValidationError` says what is wrong."""
    return ClassificationMessage.model_validate_json(value)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the message, as generated from the models."""
    return ClassificationMessage.model_json_schema(by_alias=True)


def published_schema() -> Mapping[str, Any]:
    """Return the JSON Schema file that the package ships."""
    file = resources.files("broker_classifier.streams") / SCHEMA_FILE
    schema: Mapping[str, Any] = orjson.loads(file.read_bytes())
    return schema
