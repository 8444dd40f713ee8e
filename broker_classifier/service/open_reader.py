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
    refuse_memory(settings)
    if "://" in settings.path:
        return open_store(settings.model_copy(update={"may_forget": True}))
    return StoreBeside(Path(settings.path))


def refuse_memory(settings: StoreSettings) -> None:
    """Raise a ConfigError if the store is one that ends with its process."""
    if settings.path == "memory":
        msg = "store.path is memory, which ends with its process: set it to the service's store"
        raise ConfigError(msg)
