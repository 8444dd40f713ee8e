"""Class probabilities for astronomical transients, from survey alerts as they arrive.

What people import stands here, each name with the module that it comes from. A module is imported
when one of its names is asked for: who only subscribes needs no PyTorch, who only classifies no
Kafka.

>>> from broker_classifier import classify, light_curve, load_bundle
>>> curve = light_curve([60000.0, 60002.0, 60005.0], [900.0, 1500.0, 2600.0], 90.0, band="grg")
>>> bundle = load_bundle("ztf-transients")
>>> (answer,) = classify([curve], bundle)
>>> len(answer.used), round(float(answer.probabilities.sum()), 6)
(3, 1.0)
"""

from importlib import import_module

TYPE_CHECKING = False  # as type checkers know it, without the import of `typing`

if TYPE_CHECKING:
    from broker_classifier.errors import BrokerError as BrokerError
    from broker_classifier.light_curve import LightCurve as LightCurve
    from broker_classifier.light_curve import light_curve as light_curve
    from broker_classifier.light_curve import (
        light_curve_from_magnitudes as light_curve_from_magnitudes,
    )
    from broker_classifier.model.bundle import Bundle as Bundle
    from broker_classifier.model.bundle import load_bundle as load_bundle
    from broker_classifier.model.classify import Classification as Classification
    from broker_classifier.model.classify import classify as classify
    from broker_classifier.streams.classification import (
        ClassificationMessage as ClassificationMessage,
    )
    from broker_classifier.streams.read_alerts import read_alerts as read_alerts
    from broker_classifier.streams.subscribe import subscribe as subscribe
    from broker_classifier.surveys.alert import Alert as Alert

__version__ = "0.1.0"

_MODULE_OF = {
    "LightCurve": "light_curve",
    "light_curve": "light_curve",
    "light_curve_from_magnitudes": "light_curve",
    "read_alerts": "streams.read_alerts",
    "Alert": "surveys.alert",
    "load_bundle": "model.bundle",
    "Bundle": "model.bundle",
    "classify": "model.classify",
    "Classification": "model.classify",
    "subscribe": "streams.subscribe",
    "ClassificationMessage": "streams.classification",
    "BrokerError": "errors",
}
__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> object:
    """Import the module of a name when it is asked for."""
    if name not in _MODULE_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    module = import_module(f"{__name__}.{_MODULE_OF[name]}")
    # `light_curve` is a folder, too, which stands here under this name once it is imported.
    return globals().get(name) or getattr(module, name)


def __dir__() -> list[str]:
    """List the names that people import, imported already or not."""
    return sorted({*globals(), *__all__})
