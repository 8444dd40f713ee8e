import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.errors import DataError
from broker_classifier.light_curve import Kind
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.alert_noise import (
    FINE_RANKS,
    AlertNoise,
    alert_error,
    alert_error_at,
    alert_probability,
    depth_of_alert,
    error_rank,
    flux_in_alert,
    kinds,
)
from broker_classifier.training.homogenise.fit_homogenisation import fit_alert_errors
from tests.training.noises import plain_noise, sharp_noise

NOISE = plain_noise()
DEPTH = NOISE.depth


def at(value):
    return np.array([value], dtype=np.float64)


@pytest.mark.parametrize(("rank", "expected"), [(0.0, 1e3), (0.5, 10**3.5), (1.0, 1e4)])
def test_the_error_of_a_rank_is_read_off_the_ladder(rank, expected):
    err = alert_error(at(3e4), np.array([1]), at(rank), NOISE)
    assert err[0] == pytest.approx(expected, rel=1e-6)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(1e3, 1e7), st.integers(0, 1))
def test_the_rank_of_an_error_inverts_the_error_of_a_rank(rank, flux, band):
    err = alert_error(at(flux), np.array([band]), at(rank), NOISE)
    assert error_rank(at(flux), err, np.array([band]), NOISE)[0] == pytest.approx(rank, abs=1e-6)


@pytest.mark.parametrize(("err", "expected"), [(10.0, 0.0), (1e6, 1.0)])
def test_errors_beyond_the_ladder_have_the_outermost_ranks(err, expected):
    rank = error_rank(at(1e5), at(err), np.array([0]), NOISE)[0]
    assert rank == pytest.approx(expected, abs=1e-9)


def test_half_of_the_points_at_the_threshold_are_alerts():
    probability = alert_probability(np.array([5.0, 1.0, 50.0]), np.array([0, 1, 1]), DEPTH)
    assert probability == pytest.approx([0.5, 0.0, 1.0], abs=1e-3)


def test_of_bright_sources_the_complete_part_become_alerts():
    deep = DEPTH.model_copy(update={"completeness": (0.9, 0.7)})
    probability = alert_probability(np.array([500.0, 500.0]), np.array([0, 1]), deep)
    assert probability == pytest.approx([0.9, 0.7], abs=1e-6)


def test_an_unknown_source_has_the_mean_scale_and_no_visit_is_deeper_than_the_deepest():
    deep = DEPTH.model_copy(update={"scales": {"a": (1.0, 2.0), "b": (2.0, 4.0)}})
    err, band = np.array([1e3, 1e3, 1.0]), np.array([0, 1, 1])
    assert deep.of_errors(err, band, "b").tolist() == pytest.approx([2e3, 4e3, 1e3])
    assert deep.of_errors(err, band, "c").tolist() == pytest.approx([1.5e3, 3e3, 1e3])
    assert DEPTH.of_errors(err, band, "c").tolist() == pytest.approx([1e3, 1e3, 1e3])


@settings(deadline=None)
@given(st.floats(1e3, 1e4), st.floats(1e3, 1e7), st.integers(0, 1))
def test_the_depth_of_an_error_inverts_the_error_at_a_depth(depth, flux, band):
    deep = DEPTH.model_copy(update={"log_excess": ((3.0, 3.5, 4.0), (2.0, 3.0, 4.5))})
    where, noise = np.array([band]), NOISE.model_copy(update={"depth": deep})
    err = alert_error_at(at(flux), where, at(depth), noise, deep)
    assert err[0] > depth
    assert depth_of_alert(at(flux), err, where, noise, deep)[0] == pytest.approx(depth, rel=1e-6)


@pytest.mark.parametrize(("err", "expected"), [(1.0, 1e3), (1e6, 1e4)])
def test_no_visit_is_deeper_or_shallower_than_visits_are(err, expected):
    depth = depth_of_alert(at(1e4), at(err), np.array([0]), NOISE, DEPTH)
    assert depth[0] == pytest.approx(expected)


@pytest.mark.parametrize("of_both", [True, False])
def test_noise_says_in_one_way_what_is_lost(of_both):
    fields = NOISE.model_dump() | ({"detection_snr": 5.0} if of_both else {"depth": None})
    with pytest.raises(ValueError, match="either depth or detection_snr"):
        AlertNoise.model_validate(fields)


def test_errors_that_are_not_one_a_rank_are_refused():
    with pytest.raises(ValueError, match="one error per rank"):
        AlertNoise.model_validate(NOISE.model_dump() | {"ranks": FINE_RANKS})


def test_a_known_error_relation_is_recovered():
    random = np.random.default_rng(0)
    flux = 10 ** random.uniform(3.6, 6.8, 40000)
    err = 10 ** random.uniform(3, 4, 40000)
    band = np.full(40000, 1)
    alerts = LabelledObject("a", "a", "SNIa", "s", True, np.arange(40000.0), flux, err, band)
    tables = fit_alert_errors([alerts], "g")
    expected = 3 + np.array(FINE_RANKS)
    assert np.abs(np.array(tables[0]) - expected).max() < 0.08


def test_the_tails_of_the_errors_are_those_of_the_alerts():
    """One error in a thousand is nonsense; it must not stretch the smallest or largest tenth."""
    random, n = np.random.default_rng(0), 40000
    err = 10 ** random.normal(3.5, 0.1, n)
    err[::2000], err[1000::2000] = 10.0, 1e6
    alerts = LabelledObject(
        "a", "a", "SNIa", "s", True, np.arange(n) * 1.0, np.full(n, 1e5), err, np.full(n, 1)
    )
    table = fit_alert_errors([alerts], "g", (4.8, 5.2))
    noise = AlertNoise(
        bands=("g",), log_flux=(4.8, 5.2), ranks=FINE_RANKS, log_err=table, detection_snr=5.0
    )
    drawn = alert_error(np.full(n, 1e5), np.zeros(n, np.int64), random.random(n), noise)
    wanted = (0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99)
    quantiles, expected = (np.quantile(np.log10(e), wanted) for e in (drawn, err))
    assert quantiles == pytest.approx(expected, abs=0.01)


def test_without_a_known_scatter_fluxes_are_the_same_in_alerts():
    flux, depth = np.array([3e3, 1e5]), np.array([1e3, 1e3])
    assert flux_in_alert(flux, depth, np.array([0, 1]), DEPTH).tolist() == flux.tolist()


def test_a_sharp_threshold_makes_detections_of_either_sign():
    sharp = sharp_noise()
    flux, err = np.array([5.0, -5.0, 4.9, -4.9]), np.ones(4)
    expected = [Kind.DETECTION, Kind.DETECTION, Kind.FORCED, Kind.FORCED]
    assert kinds(flux, err, sharp).tolist() == expected
    assert kinds(flux, err, NOISE).tolist() == [Kind.DETECTION] * 4


def test_the_sign_of_a_flux_does_not_change_its_error():
    band, rank = np.array([0]), at(0.3)
    assert alert_error(at(-3e4), band, rank, NOISE) == alert_error(at(3e4), band, rank, NOISE)


def test_a_band_without_alerts_is_named():
    ones = np.ones(3)
    alerts = LabelledObject("a", "a", "SNIa", "s", True, ones, ones, ones, np.full(3, 2))
    with pytest.raises(DataError, match=r"is in g: take it out"):
        fit_alert_errors([alerts], ("g", "r"))
