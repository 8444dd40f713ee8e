"""Why a point of a light curve is not used, in words for people."""

from collections import Counter
from typing import NamedTuple

from broker_classifier.light_curve.curve import LightCurve
from broker_classifier.light_curve.selection import Selection, select


class Rejection(NamedTuple):
    """A reason of `selection_rules.REASONS` as a label and as a sentence."""

    label: str
    sentence: str


REJECTIONS = {
    "withdrawn": Rejection("withdrawn", "The survey has taken the point back."),
    "detection": Rejection("detection", "It is a detection, and the bundle takes none."),
    "upper_limit": Rejection("upper limit", "It is an upper limit: nothing was detected."),
    "forced": Rejection(
        "forced photometry", "It is forced photometry, and the bundle takes detections only."
    ),
    "band": Rejection("other band", "The bundle does not take points of its band."),
    "not_finite": Rejection(
        "no flux or error",
        "Its flux or its error is no finite number, or its error is not positive.",
    ),
    "negative": Rejection(
        "negative flux",
        "The object was fainter than in the template, and the bundle takes only "
        "points where it was brighter.",
    ),
    "same_night": Rejection("same night", "An earlier point of its band and night is used."),
    "before_episode": Rejection(
        "earlier episode",
        "It belongs to an earlier episode: a long gap lies between it and the "
        "points that are used.",
    ),
    "after_window": Rejection(
        "later than the window",
        "It is later than the first days of the episode that the bundle takes.",
    ),
}


def why_unusable(curve: LightCurve, selection: Selection) -> str:
    """Say why none of the points of a light curve is used.

    >>> from broker_classifier.light_curve import light_curve
    >>> why_unusable(light_curve([60000.0, 60001.0], 900.0, 90.0, "i"), Selection())
    'it takes detection points in g, r with positive flux, and the light curve has 2: 2 other band'
    """
    reasons = Counter(reason for reason in select(curve, selection).rejected if reason)
    counts = ", ".join(f"{n} {REJECTIONS[reason].label}" for reason, n in reasons.most_common())
    sign = " with positive flux" if selection.positive_only else ""
    return (
        f"it takes {' and '.join(selection.kinds)} points in {', '.join(selection.bands)}{sign}, "
        f"and the light curve has {len(curve)}" + (f": {counts}" if counts else "")
    )
