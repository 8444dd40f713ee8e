"""A light curve is a set: merging repeats nothing, forgets nothing, and knows no order."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.light_curve import (
    BANDS,
    EMPTY,
    POINT,
    CurveBatch,
    Kind,
    LightCurve,
    curve_from_arrays,
    light_curve,
)

# Few distinct times and fluxes, so that points collide and disagree often.
points = st.tuples(
    st.sampled_from([60000.0, 60000.5, 60001.0, 60002.0]),
    st.sampled_from([-50.0, 0.0, 100.0, math.nan]),
    st.sampled_from([1.0, 10.0]),
    st.sampled_from([1, 2]),
    st.sampled_from(list(Kind)),
    st.booleans(),
)


@st.composite
def curves(draw):
    columns = list(zip(*draw(st.lists(points, max_size=12)), strict=True)) or [()] * 6
    return curve_from_arrays(*columns)


@given(curves())
def test_merging_twice_is_merging_once(curve):
    assert curve.merge(curve) == curve == curve.merge(EMPTY)


@given(curves(), curves())
def test_merge_knows_no_order(first, second):
    assert first.merge(second) == second.merge(first)


@given(curves(), curves(), curves())
def test_merge_knows_no_grouping(first, second, third):
    assert (
        first.merge(second).merge(third)
        == first.merge(second.merge(third))
        == third.merge(first, second)
    )


@given(curves(), curves())
def test_merge_keeps_every_time_band_and_kind_once(first, second):
    def keys(curve):
        return list(zip(curve.mjd, curve.band, curve.kind, strict=True))

    merged = keys(first.merge(second))
    assert merged == sorted(set(keys(first)) | set(keys(second)))


@given(curves(), st.floats(59999.0, 60003.0))
def test_until_keeps_just_what_had_been_observed(curve, mjd):
    assert curve.until(mjd).mjd.tolist() == [time for time in curve.mjd.tolist() if time <= mjd]


@given(curves(), curves(), st.floats(59999.0, 60003.0))
def test_until_of_a_merge_is_the_merge_of_untils(first, second, mjd):
    assert first.merge(second).until(mjd) == first.until(mjd).merge(second.until(mjd))


@given(st.lists(points, max_size=12), st.lists(points, max_size=12))
def test_merging_two_curves_is_sorting_all_their_points(first, second):
    def curve(chosen):
        return curve_from_arrays(*(list(zip(*chosen, strict=True)) or [()] * 6))

    assert curve(first).merge(curve(second)) == curve(first + second)


@given(st.lists(curves(), min_size=1, max_size=4))
def test_a_batch_has_the_points_of_each_light_curve_one_after_another(given_curves):
    batch = CurveBatch.of(given_curves)
    assert batch.points.nbytes == 17 * sum(map(len, given_curves))
    assert [LightCurve(points) for points in batch.split(batch.points)] == given_curves
    assert batch.lengths.tolist() == [len(curve) for curve in given_curves]
    ages = [curve.mjd[-1] - curve.mjd[0] for curve in given_curves if len(curve)]
    assert batch.without_empty().age_days.tolist() == ages


@given(st.lists(curves(), max_size=4), st.randoms())
def test_a_batch_of_fewer_points_has_as_many_light_curves(given_curves, random):
    batch = CurveBatch.of(given_curves)
    is_kept = np.array([random.random() < 0.5 for _ in batch.points], dtype=bool)
    expected = [
        LightCurve(points[kept])
        for points, kept in zip(batch.split(batch.points), batch.split(is_kept), strict=True)
    ]
    taken = batch.take(np.flatnonzero(is_kept))
    assert [LightCurve(points) for points in taken.split(taken.points)] == expected
    not_empty = taken.without_empty()
    kept = [LightCurve(points) for points in not_empty.split(not_empty.points)]
    assert kept == [curve for curve in expected if len(curve)]


def test_a_withdrawn_point_stays_withdrawn_whatever_comes_later():
    point = light_curve([60000.0], 100.0, 10.0, "g")
    withdrawn = light_curve([60000.0], 100.0, 10.0, "g", is_withdrawn=True)
    assert point.merge(withdrawn, point).is_withdrawn.tolist() == [True]


def test_the_more_precise_of_two_versions_stands():
    rough, fine = (light_curve([60000.0], [flux], [err], "g") for flux, err in [(9, 2), (8, 1)])
    assert rough.merge(fine).psf_flux.tolist() == [8.0]


def test_flags_hold_every_band_and_kind():
    letters = [letter for letter in BANDS for _ in Kind]
    kinds = list(Kind) * len(BANDS)
    curve = light_curve(np.arange(18.0), 1.0, 1.0, letters, kinds)
    assert [BANDS[band] for band in curve.band] == letters
    assert curve.kind.tolist() == kinds
    assert POINT.itemsize == 17
