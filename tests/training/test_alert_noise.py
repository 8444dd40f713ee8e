import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.light_curve import Kind
from broker_classifier.training.alert_noise import alert_error, alert_probability, error_rank, kinds
from broker_classifier.training.fit_alert_noise import fit_alert_errors, fit_threshold
from broker_classifier.training.objects import LabelledObject
from tests.curves import detections
from tests.training.noises import plain_noise

NOISE = plain_noise()


def at(value):
    return np.array([value], dtype=np.float64)


@pytest.mark.parametrize(("rank", "expected"), [(0.0, 1e3), (0.5, 10**3.5), (1.0, 1e4)])
def test_the_error_of_a_rank_is_read_off_the_ladder(rank, expected):
    found = alert_error(at(3e4), np.array([1]), at(rank), NOISE)
    assert found[0] == pytest.approx(expected, rel=1e-6)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(1e3, 1e7), st.integers(0, 1))
def test_the_rank_of_an_error_inverts_the_error_of_a_rank(rank, flux, band):
    err = alert_error(at(flux), np.array([band]), at(rank), NOISE)
    assert error_rank(at(flux), err, np.array([band]), NOISE)[0] == pytest.approx(rank, abs=1e-6)


@pytest.mark.parametrize(("err", "expected"), [(10.0, 0.0), (1e6, 1.0)])
def test_errors_beyond_the_ladder_have_the_outermost_ranks(err, expected):
    found = error_rank(at(1e5), at(err), np.array([0]), NOISE)[0]
    assert found == pytest.approx(expected, abs=1e-9)


def test_half_of_the_points_at_the_threshold_are_alerts():
    found = alert_probability(np.array([5.0, 1.0, 50.0]), np.array([0, 1, 1]), NOISE)
    assert found == pytest.approx([0.5, 0.0, 1.0], abs=1e-3)


def test_a_known_error_relation_is_recovered():
    random = np.random.default_rng(0)
    flux = 10 ** random.uniform(3.6, 6.8, 40000)
    err = 10 ** random.uniform(3, 4, 40000)
    band = np.full(40000, 1)
    mine = LabelledObject("a", "a", "SNIa", "s", True, np.arange(40000.0), flux, err, band)
    tables = fit_alert_errors([mine], "g")
    expected = np.linspace(3, 4, 11)
    assert np.abs(np.array(tables[0]) - expected).max() < 0.08


def test_a_known_threshold_is_recovered():
    random = np.random.default_rng(0)
    forced = np.exp(random.uniform(np.log(2), np.log(30), 60000))
    p = 1 / (1 + np.exp(-np.log(forced / 4.5) / 0.2))
    alert = forced[random.random(60000) < p]
    curves = [detections(np.arange(float(len(s))), 1000 * s, 1000.0) for s in (alert, forced)]
    threshold, width = fit_threshold(curves, [True, False], 2)
    assert threshold == pytest.approx(4.5, abs=0.2)
    assert width == pytest.approx(0.2, abs=0.06)


def test_without_forced_points_the_threshold_is_five():
    assert fit_threshold([detections([1.0])], [True], 2)[0] == 5.0


def test_a_sharp_threshold_makes_detections_of_either_sign():
    sharp = NOISE.model_copy(update={"detection_snr": 5.0})
    flux, err = np.array([5.0, -5.0, 4.9, -4.9]), np.ones(4)
    expected = [Kind.DETECTION, Kind.DETECTION, Kind.FORCED, Kind.FORCED]
    assert kinds(flux, err, sharp).tolist() == expected
    assert kinds(flux, err, NOISE).tolist() == [Kind.DETECTION] * 4


def test_the_sign_of_a_flux_does_not_change_its_error():
    band, rank = np.array([0]), at(0.3)
    assert alert_error(at(-3e4), band, rank, NOISE) == alert_error(at(3e4), band, rank, NOISE)
