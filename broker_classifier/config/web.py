"""Settings of the page."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from broker_classifier.config.secrets import Token


class WebSettings(BaseModel):
    """The page: what `broker-classifier web` serves."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address that the page listens on.")
    port: int = Field(9110, ge=0, le=65535, description="Port of the page; 0: any free one.")
    index: Path = Field(
        Path("page-index.sqlite"),
        description="File of the page's index; without it, it is made again of the topic.",
    )
    retention_days: float = Field(
        400.0, gt=0, description="Objects without an answer for this many days leave the page."
    )
    most_mb: float = Field(
        10_000.0, gt=0, description="Size of the index, MB, beyond which the oldest objects leave."
    )
    services: tuple[str, ...] = Field(
        ("http://127.0.0.1:9109",),
        description="Addresses of the services whose /metrics the health page reads.",
    )
    bundles: Path | None = Field(
        None,
        description="Folder of the bundles whose cards and figures are shown; else the shipped.",
    )
    token: Token = Field(
        SecretStr(""), description="What a browser must show: open the page with ?token=… once."
    )
    hosts: tuple[str, ...] = Field(
        ("127.0.0.1", "localhost"),
        description="Names under which the page may be asked for; * is any.",
    )
    requests_per_s: float = Field(
        50.0, gt=0, description="Most requests of one address in a second, in the long run."
    )
