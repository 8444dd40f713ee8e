"""Where a bundle looks: the attention of whole light curves relative to their peaks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import LightCurve
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.classify import classify
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.bootstrap import mean_interval, median_interval
from broker_classifier.training.judge.scores import rounded

Floats = NDArray[np.float64]
NEAR_PEAK_DAYS = 10.0
PROFILE_DAYS = np.arange(-30.0, 105.0, 5.0)  # edges; what is outside counts in the last bins
FEWEST_POINTS = 5


def attention_by_class(examples: Sequence[Example], bundle: Bundle) -> dict[str, Any]:
    """Summarise where attention lies, class by class, beside where the points lie.

    Returns
    -------
    dict of str to dict
        For objects of five points or more: the median over objects of the attention's centre, in
        days after the brightest point, and of the points' centre; the mean share of the attention,
        and of the points, within 10 days of the peak; and the profile, the mean share in each bin
        of `PROFILE_DAYS`. Empty for a network without attention.
    """
    long_enough = [e for e in examples if len(e.curves[0]) >= FEWEST_POINTS]
    answers = classify([e.curves[0] for e in long_enough], bundle)
    rows: dict[int, list[Floats]] = {}
    profiles: dict[int, list[Floats]] = {}
    for example, answer in zip(long_enough, answers, strict=True):
        if answer is not None and answer.attention is not None:
            used = LightCurve(example.curves[0].points[answer.used])
            rows.setdefault(example.target, []).append(relative_to_peak(used, answer.attention))
            profiles.setdefault(example.target, []).append(profile(used, answer.attention))
    return {
        bundle.classes[k]: _figures(np.array(rows[k])) | _profile(np.array(profiles[k]))
        for k in sorted(rows)
    }


def relative_to_peak(used: LightCurve, attention: Floats) -> Floats:
    """Locate attention and points of one light curve relative to its brightest point.

    Returns
    -------
    float array, shape (4,)
        Centre of the attention, centre of the points (days after the peak), share of the
        attention and of the points within 10 days of it.
    """
    age = _age(used)
    near = np.abs(age) <= NEAR_PEAK_DAYS
    return np.array([attention @ age, age.mean(), attention @ near, near.mean()])


def profile(used: LightCurve, attention: Floats) -> Floats:
    """Share out attention and points over days from the peak: (2, n_bins), each row sums to 1."""
    bin_ = np.clip(np.digitize(_age(used), PROFILE_DAYS) - 1, 0, len(PROFILE_DAYS) - 2)
    even = np.full(len(used), 1.0 / len(used))
    return np.array(
        [np.bincount(bin_, w, minlength=len(PROFILE_DAYS) - 1) for w in (attention, even)]
    )


def _age(used: LightCurve) -> Floats:
    """Days after the brightest point."""
    return np.asarray(used.mjd - used.mjd[np.argmax(used.psf_flux)])


def _profile(rows: Floats) -> dict[str, Any]:
    attention, points = rows.mean(axis=0)
    return {
        "profile_days": PROFILE_DAYS.tolist(),
        "profile": [rounded(v) for v in attention],
        "points_profile": [rounded(v) for v in points],
    }


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
