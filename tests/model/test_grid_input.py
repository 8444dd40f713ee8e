"""The poster's grid against numpy.interp's definition, point by point."""

import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from broker_classifier.light_curve import CurveBatch, LightCurve, band_indices, light_curve
from broker_classifier.model.grid_encoder import point_attention
from broker_classifier.model.grid_input import Grid
from tests.curves import light_curves

BANDS = ("g", "r")
UNIT_NJY = 36.307805  # AB magnitude 27.5


def grid_of(*curves: LightCurve, grid=Grid()):  # noqa: B008 (a frozen value)
    return grid.build(CurveBatch.of(curves), BANDS)


def slow_interpolation(times, values, at):
    """Linear between neighbours, constant outside: one obvious case after the other."""
    if at <= times[0]:
        return values[0]
    if at >= times[-1]:
        return values[-1]
    k = max(i for i in range(len(times)) if times[i] <= at)
    return values[k] + (values[k + 1] - values[k]) * (at - times[k]) / (times[k + 1] - times[k])


@settings(max_examples=30)
@given(light_curves(usable_only=True))
def test_every_cell_is_the_interpolated_flux_and_the_distance_to_the_nearest_point(curve):
    (cells,) = grid_of(curve)
    first, span = curve.mjd[0], curve.mjd[-1] - curve.mjd[0]
    for b, letter in enumerate(BANDS):
        is_band = curve.band == band_indices([letter])[0]
        flux = curve.psf_flux[is_band].astype(float) / UNIT_NJY
        where = [127 * (t - first) / span if span else 0.0 for t in curve.mjd[is_band]]
        for cell in (0, 1, 40, 64, 126, 127):
            flux_here, void_here = cells[cell, b], cells[cell, 2 + b]
            if not len(flux):
                assert (flux_here, void_here) == (0.0, 500.0)
                continue
            assert flux_here == pytest.approx(slow_interpolation(where, flux, cell), rel=1e-4)
            assert void_here == pytest.approx(min(abs(cell - x) for x in where), abs=1e-4)


def test_six_bands_make_the_posters_twelve_channels():
    assert len(Grid().channel_names("ugrizy")) == 12


def test_the_first_and_the_last_point_are_the_first_and_the_last_cell():
    curve = light_curve([100.0, 107.0, 350.0], [1e4, 9e4, 3e4], 100.0, "r")
    (cells,) = grid_of(curve)
    np.testing.assert_allclose(cells[[0, 127], 1], np.array([1e4, 3e4]) / UNIT_NJY, rtol=1e-5)
    assert cells[[0, 127], 3].tolist() == [0.0, 0.0]


def test_a_single_point_fills_the_grid_and_the_void_grows_from_it():
    (cells,) = grid_of(light_curve([100.0], [1e4], 100.0, "g"))
    np.testing.assert_allclose(cells[:, 0], 1e4 / UNIT_NJY, rtol=1e-6)
    assert cells[:, 2].tolist() == list(range(128))


@settings(max_examples=20)
@given(light_curves(usable_only=True), light_curves(usable_only=True))
def test_light_curves_do_not_mix(first, second):
    np.testing.assert_array_equal(grid_of(first, second), [*grid_of(first), *grid_of(second)])


def test_arcsinh_is_linear_for_small_and_logarithmic_for_large_fluxes():
    grid = Grid(scaling="arcsinh", flux_unit_njy=1000.0)
    (cells,) = grid_of(light_curve([1.0, 2.0], [10.0, 1e6], 1.0, "g"), grid=grid)
    assert cells[0, 0] == pytest.approx(0.01, rel=1e-3)
    assert cells[-1, 0] == pytest.approx(np.log(2000.0), rel=1e-3)


def test_the_age_is_that_of_the_light_curve():
    (cells,) = grid_of(light_curve([5.0, 24.0], 1e4, 1.0, "gr"), grid=Grid(has_age=True))
    np.testing.assert_allclose(cells[:, 4], np.log(20.0), rtol=1e-6)


def test_cells_give_their_attention_to_the_nearest_point():
    random = np.random.default_rng(0)
    of_cells = random.dirichlet(np.ones(128))
    mjd = np.sort(random.uniform(0, 100, 9))
    where = 127 * (mjd - mjd[0]) / (mjd[-1] - mjd[0])
    expected = np.zeros(9)
    for cell, weight in enumerate(of_cells):
        expected[np.abs(where - cell).argmin()] += weight
    np.testing.assert_allclose(point_attention(of_cells, mjd), expected, atol=1e-12)


@settings(max_examples=30)
@given(light_curves(usable_only=True))
def test_the_attention_of_points_sums_to_one(curve):
    attention = point_attention(np.full(128, 3.0), curve.mjd)
    assert attention.sum() == pytest.approx(1.0, abs=1e-12)
    assert (attention >= 0).all()


@pytest.mark.parametrize("wrong", [{"length": 1}, {"scaling": "log"}, {"cells": 5}])
def test_a_grid_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Grid(**wrong)
