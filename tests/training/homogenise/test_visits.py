"""Observing a light curve again at another survey's visits: cadence, errors and scatter."""

import numpy as np
import pytest

from broker_classifier.light_curve import BANDS, band_indices, light_curve
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.visits import (
    QUANTILES,
    Visits,
    brightest,
    dimmed,
    fit_visits,
    interpolated,
    observed_again,
    plan,
    spread_within_nights,
)
from tests.training.noises import plain_noise

NOISE = plain_noise().model_copy(update={"scatter_fraction": 1.0})
VISITS = Visits(
    source="s",
    gap_nights=tuple(np.linspace(1, 9, len(QUANTILES)).tolist()),
    band_sets={"gr": 0.75, "y": 0.25},
    bands=("g", "r", "y"),
    log_err=(tuple(np.linspace(2.0, 2.2, 11).tolist()),) * 3,
    night_correlation=0.5,
)


def random(seed=0):
    return np.random.default_rng(seed)


def labelled(mjd, flux, err, band):
    n = len(mjd)
    columns = (np.full(n, float(flux)), np.full(n, float(err)), np.full(n, BANDS.index(band)))
    return LabelledObject("a", "a", "SNIa", "s", True, np.asarray(mjd, dtype=float), *columns)


def test_the_visits_of_a_known_survey_are_recovered():
    drawn = plan(VISITS, 60000.0, 64000.0, random())
    view = LabelledObject(
        "a", "a", "AGN", "s", True, drawn.mjd, drawn.mjd, drawn.flux_err, drawn.band
    )
    fitted = fit_visits([view], BANDS, night_offset_days=0.3)
    assert (fitted.source, fitted.bands) == ("s", VISITS.bands)
    np.testing.assert_allclose(fitted.gap_nights, VISITS.gap_nights, atol=1.01)
    assert fitted.band_sets["gr"] == pytest.approx(0.75, abs=0.05)
    assert set(fitted.band_sets) == {"gr", "y"}
    np.testing.assert_allclose(fitted.log_err, VISITS.log_err, atol=0.02)
    assert fitted.night_correlation == pytest.approx(VISITS.night_correlation, abs=0.1)


def test_a_plan_keeps_to_the_season_and_its_nights():
    drawn = plan(VISITS, 60000.0, 60200.0, random())
    assert (np.diff(drawn.mjd) >= 0).all()
    assert 60000.0 <= drawn.mjd[0] < drawn.mjd[-1] <= 60200.03
    pairs = drawn.mjd[np.isin(drawn.band, band_indices("gr"))].reshape(-1, 2)
    assert (np.diff(pairs) < VISITS.night_spread_days).all()


def test_between_two_points_a_flux_and_its_error_are_interpolated():
    points = np.array([0.0, 10.0]), np.array([100.0, 200.0]), np.array([3.0, 4.0])
    flux, err = interpolated(*points, np.array([0.0, 2.5, 10.0]))
    assert flux.tolist() == [100.0, 125.0, 200.0]
    np.testing.assert_allclose(err, [3.0, np.hypot(0.75 * 3.0, 0.25 * 4.0), 4.0])


def test_a_wide_gap_is_not_bridged():
    points = np.array([0.0, 30.0]), np.array([100.0, 200.0]), np.array([3.0, 4.0])
    flux, _ = interpolated(*points, np.array([-2.0, -0.5, 0.9, 15.0, 29.2, 30.8, 32.0]))
    expected = [np.nan, 100.0, 100.0, np.nan, 200.0, 200.0, np.nan]
    np.testing.assert_array_equal(flux, expected)


def test_one_point_serves_the_visits_of_its_night():
    points = np.array([5.0]), np.array([100.0]), np.array([3.0])
    flux, err = interpolated(*points, np.array([3.0, 5.4]))
    np.testing.assert_array_equal(flux, [np.nan, 100.0])
    np.testing.assert_array_equal(err, [np.nan, 3.0])


def test_what_is_observed_again_has_the_errors_and_the_scatter_of_the_visits():
    view = labelled(np.arange(60000.0, 70000.0, 2.0), 5e4, 1.0, "r")
    again = observed_again(view, VISITS, NOISE, random())
    assert set(again.band.tolist()) == {BANDS.index("r")}
    assert 10**2.0 <= again.flux_err.min() < again.flux_err.max() <= 10**2.2
    pulls = (again.flux - 5e4) / again.flux_err
    assert pulls.std() == pytest.approx(1.0, abs=0.05)
    assert abs(pulls.mean()) < 0.1


def test_noise_that_is_there_already_is_not_added_twice():
    mjd = np.arange(60000.0, 70000.0, 2.0)
    view = labelled(mjd, 5e4, 400.0, "r")
    again = observed_again(view, VISITS, NOISE, random())
    np.testing.assert_allclose(again.flux, 5e4, rtol=1e-12)


def test_a_brighter_object_is_dimmed_to_some_brightness_of_the_survey_and_lasts_longer():
    faint = VISITS.model_copy(update={"log_peak": (2.0,) * 10 + (3.0,) * 11})
    view = labelled(np.arange(60000.0, 60100.0, 2.0), 1e5, 1e3, "r")
    peaks = [brightest(d) for d in (dimmed(view, faint, random(i)) for i in range(50))]
    assert (min(peaks), max(peaks)) == pytest.approx((100.0, 1000.0))
    for i in range(5):
        far = dimmed(view, faint, random(i))
        np.testing.assert_allclose(far.flux / far.flux_err, view.flux / view.flux_err)
        assert 98.0 <= np.ptp(far.mjd) <= 98.0 * 1000.0**0.12


def test_an_object_that_is_faint_already_keeps_its_flux():
    bright = VISITS.model_copy(update={"log_peak": (6.0,) * 21})
    view = labelled([60000.0, 60002.0], 1e5, 1e3, "r")
    same = dimmed(view, bright, random())
    assert (same.flux.tolist(), same.mjd.tolist()) == (view.flux.tolist(), view.mjd.tolist())


def test_an_object_without_points_stays_empty():
    assert len(observed_again(labelled([], 1.0, 1.0, "r"), VISITS, NOISE, random()).mjd) == 0


def test_points_of_one_moment_become_exposures_of_one_night():
    curve = light_curve([1.0, 1.0, 3.0], [10.0, 20.0, 30.0], 1.0, "grg")
    apart = spread_within_nights(curve, VISITS, random())
    assert sorted(apart.psf_flux.tolist()) == [10.0, 20.0, 30.0]
    assert 0 < np.diff(apart.mjd)[0] < VISITS.night_spread_days
    assert apart.mjd[-1] == 3.0
