import numpy as np
import pytest

from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.attention_profile import (
    attention_by_class,
    profile,
    relative_to_peak,
)
from tests.bundles import small_bundle
from tests.curves import detections


def test_centres_and_shares_are_relative_to_the_brightest_point():
    curve = detections([0.0, 10.0, 30.0], [2e4, 5e4, 1e4])
    located = relative_to_peak(curve, np.array([0.5, 0.25, 0.25]))
    assert located == pytest.approx([0.5 * -10 + 0.25 * 20, 10 / 3, 0.75, 2 / 3])


def test_every_class_with_long_enough_light_curves_is_summarised(tmp_path):
    bundle = small_bundle(tmp_path)
    curves = [detections(np.arange(n) * 3.0, 2e4 + 1e3 * np.arange(n)) for n in (4, 6, 9)]
    examples = [Example(str(k), "s", k, 1.0, (c,)) for k, c in enumerate(curves)]
    by_class = attention_by_class(examples, bundle)
    assert set(by_class) == {"SNII", "AGN"}  # the first has four points
    assert by_class["AGN"]["n"] == 1
    assert by_class["AGN"]["points_days_after_peak"] == pytest.approx(-12.0)
    assert by_class["AGN"]["points_share_near_peak"] == pytest.approx(4 / 9, abs=1e-4)
    assert -24.0 < by_class["AGN"]["days_after_peak"] < 0.0


def test_a_profile_shares_out_all_of_the_attention_and_of_the_points():
    curve = detections([0.0, 50.0, 61.0, 250.0], [2e4, 5e4, 1e4, 1e4])
    attention, points = profile(curve, np.array([0.4, 0.3, 0.2, 0.1]))
    assert attention.sum() == pytest.approx(1.0)
    in_bins = {0: 0.4, 6: 0.3, 8: 0.2, 25: 0.1}  # below -30, 0 to 5, 10 to 15, above 95 days
    assert {k: v for k, v in enumerate(attention) if v} == pytest.approx(in_bins)
    assert {k: v for k, v in enumerate(points) if v} == pytest.approx(dict.fromkeys(in_bins, 0.25))
