"""The light curve of one object, and which of its points count."""

from broker_classifier.light_curve.curve import (
    BAND_MASK,
    BANDS,
    EMPTY,
    KIND_MASK,
    KIND_SHIFT,
    POINT,
    POINTS,
    WITHDRAWN,
    Kind,
    LightCurve,
    band_indices,
    joined,
    light_curve,
    point_flags,
    starts_of,
)

__all__ = [
    "BANDS",
    "BAND_MASK",
    "EMPTY",
    "KIND_MASK",
    "KIND_SHIFT",
    "POINT",
    "POINTS",
    "WITHDRAWN",
    "Kind",
    "LightCurve",
    "band_indices",
    "joined",
    "light_curve",
    "point_flags",
    "starts_of",
]
