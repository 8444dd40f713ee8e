"""Why a point of a light curve is not used, in words for people."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from broker_classifier.light_curve.curve import LightCurve
from broker_classifier.light_curve.selection import Selection, select


class Rejection(NamedTuple):
    """A reason of `selection_rules.REASONS`: what follows a number of points, and a sentence."""

    label: str
    sentence: str


REJECTIONS = {
    "withdrawn": Rejection("withdrawn", "The survey has taken the point back."),
    "detection": Rejection("detection", "It is a detection, and the bundle takes none."),
    "upper_limit": Rejection("upper limit", "It is an upper limit: nothing was detected."),
    "forced": Rejection(
        "forced photometry", "It is forced photometry, and the bundle takes detections only."
    ),
    "band": Rejection("in other bands", "The bundle does not take points of its band."),
    "not_finite": Rejection(
        "without flux or error",
        "Its flux or its error is no finite number, or its error is not positive.",
    ),
    "negative": Rejection(
        "of negative flux",
        "The object was fainter than in the template, and the bundle takes only "
        "points where it was brighter.",
    ),
    "same_night": Rejection("of the same night", "An earlier point of its band and night is used."),
    "before_episode": Rejection(
        "of an earlier episode",
        "It belongs to an earlier episode: a long gap lies between it and the "
        "points that are used.",
    ),
    "after_window": Rejection(
        "later than the window",
        "It is later than the first days of the episode that the bundle takes.",
    ),
}
_KINDS = {"detection": "detections", "forced": "forced photometry"}
_COUNTABLE = ("detection", "upper_limit")


def counted(reasons: Iterable[str | None]) -> str:
    """Count reasons, the most common first; None is no reason.

    >>> counted(["upper_limit", "forced", None, "upper_limit"])
    '2 upper limits, 1 forced photometry'
    """
    counts = Counter(filter(None, reasons)).most_common()
    return ", ".join(f"{n} {_label(reason, n)}" for reason, n in counts)


def _label(reason: str, n: int) -> str:
    return REJECTIONS[reason].label + ("s" if n > 1 and reason in _COUNTABLE else "")


def why_unusable(curve: LightCurve, selection: Selection) -> str:
    """Say why none of the points of a light curve is used.

    >>> from broker_classifier.light_curve import light_curve
    >>> print(why_unusable(light_curve([60000.0], 900.0, 90.0, "i"), Selection()))
    it takes detections in g, r of positive flux, and the light curve has 1 point: 1 in other bands
    """
    counts = counted(select(curve, selection).rejected)
    sign = " of positive flux" if selection.positive_only else ""
    kinds = " and ".join(_KINDS[kind] for kind in selection.kinds)
    points = "1 point" if len(curve) == 1 else f"{len(curve)} points"
    return (
        f"it takes {kinds} in {', '.join(selection.bands)}{sign}, and the light curve has {points}"
        + (f": {counts}" if counts else "")
    )
