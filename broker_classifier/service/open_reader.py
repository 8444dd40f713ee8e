"""Open the light-curve store for a command that only reads it."""

from pathlib import Path

from broker_classifier.config.store import StoreSettings
from broker_classifier.errors import ConfigError
from broker_classifier.service.serve import open_store
from broker_classifier.store import StoreBeside, StoreReader


def open_reader(settings: StoreSettings) -> StoreReader:
    """Open the store of the settings to read it; a service may have it open.

    Raises
    ------
    ConfigError
        There is none, or it cannot be read.
    """
    if settings.path == "memory":
        msg = "store.path is memory, which ends with its process: set it to the service's store"
        raise ConfigError(msg)
    if "://" in settings.path:
        return open_store(settings.model_copy(update={"may_forget": True}))
    return StoreBeside(Path(settings.path))
