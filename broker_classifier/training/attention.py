"""Where a bundle looks: the attention of whole light curves relative to their peaks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.bundle import Bundle
from broker_classifier.classify import classify
from broker_classifier.light_curve import LightCurve
from broker_classifier.training.bootstrap import mean_interval, median_interval
from broker_classifier.training.examples import Example
from broker_classifier.training.metrics import rounded

Floats = NDArray[np.float64]
NEAR_PEAK_DAYS = 10.0
FEWEST_POINTS = 5


def attention_by_class(examples: Sequence[Example], bundle: Bundle) -> dict[str, Any]:
    """Summarise where attention lies, class by class, beside where the points lie.

    Returns
    -------
    dict of str to dict
        For objects of five points or more: median over objects of the attention's centre, in
        days after the brightest point; the same of the points themselves, every one alike; mean
        share of the attention, and of the points, within 10 days of the peak. Empty for a network
        without attention.
    """
    long_enough = [e for e in examples if len(e.curves[0]) >= FEWEST_POINTS]
    answers = classify([e.curves[0] for e in long_enough], bundle)
    rows: dict[int, list[Floats]] = {}
    for example, answer in zip(long_enough, answers, strict=True):
        if answer is not None and answer.attention is not None:
            used = LightCurve(example.curves[0].points[answer.used])
            rows.setdefault(example.target, []).append(relative_to_peak(used, answer.attention))
    return {bundle.classes[k]: _figures(np.array(rows[k])) for k in sorted(rows)}


def relative_to_peak(used: LightCurve, attention: Floats) -> Floats:
    """Locate attention and points of one light curve relative to its brightest point.

    Returns
    -------
    float array, shape (4,)
        Centre of the attention, centre of the points (days after the peak), share of the
        attention and of the points within 10 days of it.
    """
    age = used.mjd - used.mjd[np.argmax(used.psf_flux)]
    near = np.abs(age) <= NEAR_PEAK_DAYS
    return np.array([attention @ age, age.mean(), attention @ near, near.mean()])


def _figures(rows: Floats) -> dict[str, Any]:
    centre, points, share, share_of_points = rows.T
    return {
        "n": len(rows),
        "days_after_peak": rounded(np.median(centre)),
        "days_after_peak_95": median_interval(centre),
        "points_days_after_peak": rounded(np.median(points)),
        "points_days_after_peak_95": median_interval(points),
        "share_near_peak": rounded(share.mean()),
        "share_near_peak_95": mean_interval(share),
        "points_share_near_peak": rounded(share_of_points.mean()),
        "points_share_near_peak_95": mean_interval(share_of_points),
    }
