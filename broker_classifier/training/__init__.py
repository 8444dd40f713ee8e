"""Making and judging bundles: data, training, calibration, evaluation. Needs the extra `train`.

From Python: `from broker_classifier.training import train, evaluate`.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

from broker_classifier.errors import ConfigError

if TYPE_CHECKING:
    from broker_classifier.training.evaluate import evaluate as evaluate
    from broker_classifier.training.train import train as train

PACKAGES = ("matplotlib", "pandas", "pyarrow", "sklearn")
VERBS = ("train", "evaluate")


def __getattr__(name: str) -> Any:
    """Import a verb when it is asked for."""
    if name not in VERBS:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    """List the verbs, imported already or not."""
    return sorted({*globals(), *VERBS})


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        return vars(self)[_last_name(self)](*args, **options)


def make_callable(module: str) -> None:
    """Let a module be called like its function of the same name.

    Both are `broker_classifier.training.train`: whichever somebody gets under this name works.
    """
    verb = sys.modules[module]
    verb.__class__ = _CallableModule
    vars(verb)["__signature__"] = signature(vars(verb)[_last_name(verb)])


def _last_name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def require_packages() -> None:
    """Raise `ConfigError` if a package of the extra `train` is missing."""
    for package in PACKAGES:
        if find_spec(package) is None:
            msg = (
                f"{package} is missing; training and evaluation need "
                "`pip install broker-classifier[train]` (make setup does it)"
            )
            raise ConfigError(msg)
