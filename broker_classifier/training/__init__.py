"""Making and judging bundles: data, training, calibration, evaluation. Needs the extra `train`."""

from importlib.util import find_spec

from broker_classifier.errors import ConfigError

PACKAGES = ("matplotlib", "pandas", "pyarrow", "sklearn")


def require_packages() -> None:
    """Raise `ConfigError` if a package of the extra `train` is missing."""
    for package in PACKAGES:
        if find_spec(package) is None:
            msg = (
                f"{package} is missing; training and evaluation need "
                "`pip install broker-classifier[train]` (make setup does it)"
            )
            raise ConfigError(msg)
