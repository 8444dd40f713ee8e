import numpy as np
import pytest

from broker_classifier.light_curve import Kind, light_curve
from broker_classifier.training.fit.prefix_weights import (
    UNDETECTED_SHARE,
    day_weights,
    prefix_weights,
    rank_weights,
)
from broker_classifier.training.recipe_tables import Optimisation

# Two forced points, a detection, a forced point and two detections.
KIND = [Kind.FORCED] * 2 + [Kind.DETECTION, Kind.FORCED] + [Kind.DETECTION] * 2
DAYS = np.array([-8.0, -3.0, 0.0, 1.0, 7.0, 31.0])
CURVE = light_curve(59000.0 + DAYS, [1e4] * 6, 1e3, "g", KIND)
WHOLE = sum((n + 1) ** -0.5 for n in range(20))


def test_prefixes_count_from_the_first_detection():
    weights = prefix_weights(CURVE, Optimisation(prefix_decay=0.5))
    before = [UNDETECTED_SHARE] * 2
    assert weights * WHOLE == pytest.approx([*before, 1.0, 2**-0.5, 3**-0.5, 4**-0.5])


def test_by_days_alone_nothing_counts_before_the_detection_and_every_curve_alike():
    weights = prefix_weights(CURVE, Optimisation(share_by_days=1.0))
    assert weights * np.log(201) == pytest.approx(
        [0, 0, np.log(2), np.log(4), np.log(4), np.log(201 / 32)]
    )
    assert weights.sum() == pytest.approx(1)


def test_a_part_by_days_is_a_part():
    parts = [
        prefix_weights(CURVE, Optimisation(prefix_decay=0.5, share_by_days=s)) for s in (0, 1, 0.25)
    ]
    assert parts[2] == pytest.approx(0.75 * parts[0] + 0.25 * parts[1])


def test_light_curves_without_a_detection_count_by_rank():
    undetected = light_curve([59000.0, 59001.0], [1e3] * 2, 1e3, "gr", Kind.FORCED)
    weights = prefix_weights(undetected, Optimisation(prefix_decay=0.5, share_by_days=1.0))
    assert weights * WHOLE == pytest.approx([UNDETECTED_SHARE] * 2)


def test_a_prefix_counts_by_how_long_it_is_all_that_is_known_in_every_object_alike():
    days = np.array([0.0, 0.0, 9.0, 99.0])
    weights = day_weights(days)
    assert weights == pytest.approx([0.0, np.log(10), np.log(10), np.log(2.01)])
    assert weights.sum() == pytest.approx(day_weights(np.array([0.0, 180.0])).sum())


def test_with_a_decay_of_one_the_nth_prefix_counts_1_over_n():
    weights = rank_weights(4, 1.0)
    assert weights / weights[0] == pytest.approx([1.0, 1 / 2, 1 / 3, 1 / 4])
    assert rank_weights(20, 1.0).sum() == pytest.approx(1.0)
