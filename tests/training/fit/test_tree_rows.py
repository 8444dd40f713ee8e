import numpy as np
import pytest

from broker_classifier.light_curve import Kind, light_curve
from broker_classifier.training.fit.prefix_weights import prefix_weights
from broker_classifier.training.fit.tree_rows import thinned, training_moments
from broker_classifier.training.recipe_tables import Optimisation
from tests.curves import detections

SETTINGS = Optimisation(prefix_decay=0.5, share_by_days=0.5)


def moments_of(*curves, settings=SETTINGS, seed=0):
    return training_moments(curves, settings, np.random.default_rng(seed))


def test_a_light_curve_weighs_as_much_as_its_prefixes():
    for curve in (detections([0.0]), detections(np.arange(60) * 2.5)):
        _, weight = moments_of(curve)
        assert weight.sum() == pytest.approx(prefix_weights(curve, SETTINGS).sum())


def test_an_answer_knows_the_points_before_it_and_no_other():
    curve = detections(np.arange(30) * 3.0)
    moments, _ = moments_of(curve)
    n_points = np.searchsorted(curve.mjd, moments.asked_mjd, side="right")
    np.testing.assert_array_equal(moments.n_points, n_points)


def test_half_of_the_weight_is_asked_in_silence():
    curve = detections(np.arange(30) * 3.0)
    moments, weight = moments_of(curve)
    silence = moments.asked_mjd - curve.mjd[moments.n_points - 1]
    assert (silence >= 0).all()
    assert 0.4 < weight[silence > 0].sum() < 0.6


def test_without_a_share_by_days_only_detections_are_asked():
    curve = detections(np.arange(30) * 3.0)
    moments, _ = moments_of(curve, settings=Optimisation(prefix_decay=0.5))
    assert set(moments.asked_mjd) <= set(curve.mjd)


def test_days_count_from_the_first_detection():
    kinds = [Kind.FORCED, Kind.FORCED, Kind.DETECTION, Kind.DETECTION]
    curve = light_curve([0.0, 5.0, 30.0, 33.0], 1e4, 1e3, "gggg", kinds)
    moments, weight = moments_of(curve)
    silent = ~np.isin(moments.asked_mjd, curve.mjd)
    assert (moments.asked_mjd[silent] > 30.0).all()
    assert weight[silent].sum() == pytest.approx(0.5)


def test_thinning_keeps_the_weight_on_average():
    curves = [detections(np.arange(40) * 2.0)] * 50
    moments, weight = moments_of(*curves)
    drawn = [thinned(moments, weight, 400, np.random.default_rng(seed))[1] for seed in range(40)]
    assert np.mean([len(w) for w in drawn]) == pytest.approx(400, rel=0.05)
    assert np.mean([w.sum() for w in drawn]) == pytest.approx(weight.sum(), rel=0.03)
