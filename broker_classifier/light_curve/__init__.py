"""The light curve of one object, and which of its points count.

The package has the name of its most used function, and can be called in its stead: after
`from broker_classifier import light_curve` the name is the function or, once anything has imported
this package, the package.
"""

import sys
from inspect import getdoc, signature
from types import ModuleType
from typing import Any

from broker_classifier.light_curve.curve import (
    BAND_MASK,
    BANDS,
    EMPTY,
    KIND_MASK,
    KIND_SHIFT,
    LIMIT_SIGMAS,
    POINT,
    POINTS,
    WITHDRAWN,
    Kind,
    LightCurve,
    band_indices,
    curve_from_arrays,
    joined,
    point_flags,
    starts_of,
    without_repeats,
)
from broker_classifier.light_curve.curve_batch import CurveBatch
from broker_classifier.light_curve.from_columns import light_curve, light_curve_from_magnitudes

__all__ = [
    "BANDS",
    "BAND_MASK",
    "EMPTY",
    "KIND_MASK",
    "KIND_SHIFT",
    "LIMIT_SIGMAS",
    "POINT",
    "POINTS",
    "WITHDRAWN",
    "CurveBatch",
    "Kind",
    "LightCurve",
    "band_indices",
    "curve_from_arrays",
    "joined",
    "light_curve",
    "light_curve_from_magnitudes",
    "point_flags",
    "starts_of",
    "without_repeats",
]


class _CallablePackage(ModuleType):
    def __call__(self, *columns: Any, **options: Any) -> LightCurve:
        return light_curve(*columns, **options)


__doc__ = f"{__doc__}\n{getdoc(light_curve)}"
__signature__ = signature(light_curve)
sys.modules[__name__].__class__ = _CallablePackage
