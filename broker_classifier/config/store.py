"""Settings of the light-curve store."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class StoreSettings(BaseModel):
    """Where light curves are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        "light-curves",
        description="Folder of the store, for one worker; valkey://host:6379/0 (redis://, and "
        "valkeys:// with TLS) for many; memory keeps it as long as the process.",
    )
    password: SecretStr = Field(SecretStr(""), description="Password of the store's server.")
    password_file: Path | None = Field(None, description="File that has the password, instead.")
    client: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Further settings of the store's client, such as ssl_ca_certs.",
    )
    may_forget: bool = Field(
        False, description="Take a server that does not write to its disk, too."
    )
    retention_days: float = Field(
        400.0, gt=0, description="Objects without an alert for this many days are forgotten."
    )
    prune_interval_s: float = Field(
        3600.0, gt=0, description="How often such objects are looked for, seconds."
    )
