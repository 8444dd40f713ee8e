"""Who trains and tests, and what a partial light curve shows, under the three protocols."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.light_curve import LightCurve, light_curve
from broker_classifier.model.grid_input import Grid
from broker_classifier.training.data.split import split_of
from broker_classifier.training.poster.protocol import PERCENTS, PROTOCOLS, draw_parts, inputs_at
from tests.curves import light_curves

IDS = [f"object {i}" for i in range(1200)]
TARGET = np.repeat([0, 1, 2], [900, 270, 30])  # the last is a rare class
BANDS = ("g", "r")


def parts(protocol, seed=0, per_class=100, test_per_class=40):
    return draw_parts(IDS, TARGET, protocol, per_class, test_per_class, seed)


def counts(index):
    return np.bincount(TARGET[index], minlength=3).tolist()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("seed", range(3))
def test_every_class_is_capped_and_nobody_is_drawn_twice(protocol, seed):
    drawn = parts(protocol, seed)
    for part, cap in zip(drawn, (80, 20, 40), strict=True):
        assert len(set(part.tolist())) == len(part)
        assert max(counts(part)) <= cap
    assert counts(drawn.training)[0] == 80
    assert not set(drawn.training) & set(drawn.validation)


@pytest.mark.parametrize("protocol", ["disjoint", "causal"])
@pytest.mark.parametrize("seed", range(3))
def test_a_disjoint_protocol_tests_only_objects_of_the_test_split(protocol, seed):
    drawn = parts(protocol, seed)
    splits = [{split_of(IDS[i]) for i in part} for part in drawn]
    assert splits == [{"train"}, {"validation"}, {"test"}]
    assert drawn.n_test_seen() == 0


def test_as_published_a_rare_class_is_tested_on_what_it_was_trained_on():
    drawn = parts("as-published")
    rare = drawn.test[TARGET[drawn.test] == 2]
    seen = set(drawn.training) | set(drawn.validation)
    assert len(rare) == 30
    assert set(rare) <= seen
    assert drawn.n_test_seen() == sum(i in seen for i in drawn.test)


def test_disjoint_and_causal_draw_the_same_objects_and_seeds_draw_others():
    for first, second in zip(parts("disjoint", 4), parts("causal", 4), strict=True):
        np.testing.assert_array_equal(first, second)
    assert parts("causal", 4).training.tolist() != parts("causal", 5).training.tolist()


def make_inputs(curves, percent, is_causal):
    return inputs_at(curves, percent, BANDS, Grid(), is_causal=is_causal)


@settings(max_examples=20)
@given(st.lists(light_curves(usable_only=True), min_size=1, max_size=3))
def test_as_published_a_part_is_the_beginning_of_the_whole_grid(curves):
    whole = make_inputs(curves, 100, False)
    for percent, cells in zip(PERCENTS, (128, 64, 32), strict=True):
        part = make_inputs(curves, percent, False)
        np.testing.assert_array_equal(part, whole[:, :cells])


@settings(max_examples=30)
@given(light_curves(usable_only=True), st.sampled_from(PERCENTS), st.floats(0.5, 1e4))
def test_a_causal_part_knows_nothing_of_what_comes_after_the_cut(curve, percent, factor):
    cells = 128 * percent // 100
    span = curve.mjd[-1] - curve.mjd[0]
    is_later = (curve.mjd - curve.mjd[0]) * 127 > span * (cells - 1 + 1e-9)
    changed = curve.points.copy()
    changed["psf_flux"][is_later] *= factor
    np.testing.assert_array_equal(
        make_inputs([curve], percent, True), make_inputs([LightCurve(changed)], percent, True)
    )


def test_as_published_a_part_sees_the_point_to_come():
    def part(last_flux, is_causal):
        curve = light_curve([0.0, 10.0, 100.0], [5e3, 6e3, last_flux], 10.0, "g")
        return make_inputs([curve], 25, is_causal)

    assert (part(1e3, True) == part(9e3, True)).all()
    assert (part(1e3, False) != part(9e3, False)).any()


def test_a_causal_part_spans_its_own_points():
    curve = light_curve([0.0, 20.0, 24.0, 25.0, 100.0], [1e3, 2e3, 3e3, 4e3, 5e3], 1.0, "g")
    (inputs,) = make_inputs([curve], 25, True)  # the cut is at 100 * 31 / 127 = 24.4 days
    at = np.linspace(0, 24.0, 32)
    expected = np.interp(at, [0.0, 20.0, 24.0], [1e3, 2e3, 3e3]) / 36.307805
    np.testing.assert_allclose(inputs[:, 0], expected, rtol=1e-5)


@settings(max_examples=20)
@given(light_curves(usable_only=True))
def test_the_whole_light_curve_is_the_same_causal_or_not(curve):
    np.testing.assert_array_equal(make_inputs([curve], 100, True), make_inputs([curve], 100, False))
