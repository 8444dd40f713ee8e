"""Settings of what comes from Lasair and goes to it."""

import re
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from broker_classifier.config.secrets import Token


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LasairSettings(_Section):
    """Lasair's two services, and their object API for filter rows without a light curve."""

    lsst_token: Token = Field(SecretStr(""), description="Your token at Lasair-LSST.")
    ztf_token: Token = Field(SecretStr(""), description="Your token at Lasair-ZTF.")
    lsst_endpoint: str = Field(
        "https://api.lasair.lsst.ac.uk/api", description="Address of Lasair-LSST's API."
    )
    ztf_endpoint: str = Field(
        "https://lasair-ztf.lsst.ac.uk/api", description="Address of Lasair-ZTF's API."
    )
    calls_per_hour: int = Field(50, ge=1, description="Most calls of each in an hour.")


class AnnotatorSettings(_Section):
    """One annotator: its name at one Lasair, the token that it is bound to, its calls."""

    topic: str = Field("", description="Your annotator's name at this Lasair; none: not annotated.")
    token: Token = Field(SecretStr(""), description="Token that the annotator is bound to.")
    token_file: Path | None = Field(None, description="File that holds the token, instead.")
    calls_per_hour: int = Field(50, ge=1, description="Most calls of the annotator in an hour.")
    model: str = Field("", description="Bundle whose answers are sent; those of any where not set.")

    @field_validator("topic")
    @classmethod
    def _be_a_name_in_sql(cls, topic: str) -> str:
        if topic and not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", topic):
            msg = f"{topic} cannot be a name in Lasair's SQL; use a-z, 0-9 and _, a letter first"
            raise ValueError(msg)
        if topic.startswith("tags_"):
            msg = f"{topic} would be taken for a user's tags; let it begin otherwise"
            raise ValueError(msg)
        return topic


class AnnotateSettings(_Section):
    """What `annotate` tells Lasair, and when."""

    lsst: AnnotatorSettings = AnnotatorSettings()
    ztf: AnnotatorSettings = AnnotatorSettings()
    outbox: Path = Field(
        Path("annotations.sqlite"),
        description="File of what is still to be sent and what was sent; one process a file.",
    )
    probability_step: float = Field(
        0.1, ge=0, le=1, description="An object is sent again when a probability moves by more."
    )
    information_levels: tuple[float, ...] = Field(
        (0.5, 1.0, 2.0),
        description="It is sent again when the information passes one of these, bits.",
    )
    batch_size: int = Field(500, ge=1, le=1000, description="Most annotations in one call.")
    timeout_s: float = Field(
        60.0, gt=0, le=600, description="Longest wait for Lasair's answer to a call, seconds."
    )
    page_url: str = Field(
        "", description="Address of an object's page, with {object_id} in it; none: no link."
    )
    host: str = Field("127.0.0.1", description="Address of annotate's /metrics and /health.")
    port: int = Field(
        9111,
        ge=0,
        le=65535,
        description="Port of annotate's /metrics and /health; 0: any free one.",
    )

    @model_validator(mode="after")
    def _fit_ztfs_columns(self) -> Self:
        if len(self.ztf.topic) > 16:
            msg = f"ztf.topic: {self.ztf.topic} is longer than the 16 letters that Lasair-ZTF takes"
            raise ValueError(msg)
        return self
