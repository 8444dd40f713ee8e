"""The compiled JSON of light curves against orjson's, number by number."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.light_curve import Kind, curve_from_arrays
from broker_classifier.light_curve.selection_rules import REASONS
from broker_classifier.model.classify import Classification
from broker_classifier.model.prior import ClassPrior
from broker_classifier.service.light_curve_json import _MOST_BYTES, light_curves_json, plain_json

MJD = st.floats(8192.0, 999_999.0)
ONE_CLASS = ClassPrior(("SNIa",), np.ones(1))
FLUX = st.floats(-(2.0**36), 2.0**36, width=32)
ODD = st.floats(width=32)


def with_everything(mjd, flux, err, seed=0):
    """A light curve of every band and kind, and a classification that uses half of its points."""
    n, rng = len(mjd), np.random.default_rng(seed)
    curve = curve_from_arrays(mjd, flux, err, np.arange(n) % 6, np.arange(n) % 3)
    n = len(curve)
    used = np.flatnonzero(rng.random(n) < 0.5)
    reason = rng.integers(1, len(REASONS), n).astype(np.uint8)
    reason[used] = 0
    return curve, Classification(ONE_CLASS, np.ones(1), used, rng.random(len(used)), reason)


def written(*pairs):
    return light_curves_json([curve for curve, _ in pairs], [answer for _, answer in pairs])


@given(st.lists(st.tuples(MJD, FLUX, FLUX), max_size=40), st.integers(0, 99))
def test_points_are_written_as_orjson_writes_them(rows, seed):
    pair = with_everything(*np.array(rows).reshape(-1, 3).T, seed)
    [text] = written(pair)
    assert orjson.loads(text) == orjson.loads(plain_json(*pair))


@given(MJD)
def test_a_time_is_read_back_to_its_last_bit(mjd):
    [text] = written(with_everything([mjd], [1.0], [1.0]))
    assert orjson.loads(text)[0]["mjd"] == mjd


def test_a_time_has_no_more_digits_than_it_needs():
    [text] = written(with_everything([59396.4046875, 60000.0], [1.0, 1.0], [1.0, 1.0]))
    assert b'"mjd":59396.4046875,' in text
    assert b'"mjd":60000.0,' in text


@given(st.lists(st.tuples(st.floats(-1e6, 1e8), ODD, ODD), max_size=10))
def test_numbers_beyond_the_loop_are_written_all_the_same(rows):
    pair = with_everything(*np.array(rows).reshape(-1, 3).T)
    [text] = written(pair)
    assert orjson.loads(text) == orjson.loads(plain_json(*pair))


@pytest.mark.parametrize("odd", [1e30, np.inf])
def test_one_light_curve_beyond_the_loop_leaves_its_neighbours_alone(odd):
    plain = with_everything([60000.0], [2.5], [1.0])
    first, middle, last = written(plain, with_everything([60000.0], [odd], [1.0]), plain)
    assert first == last == plain_json(*plain)
    expected = None if np.isinf(odd) else pytest.approx(odd)
    assert orjson.loads(middle)[0]["psf_flux"] == expected


def test_an_upper_limit_has_no_flux():
    curve = curve_from_arrays([60000.0], [np.nan], [20.0], [1], Kind.UPPER_LIMIT)
    nothing = np.empty(0, dtype=np.int64)
    reason = np.array([REASONS.index("upper_limit")], dtype=np.uint8)
    [text] = written((curve, Classification(ONE_CLASS, np.ones(1), nothing, np.empty(0), reason)))
    [point] = orjson.loads(text)
    assert point["psf_flux"] is None
    assert (point["kind"], point["rejected"]) == ("upper_limit", "upper_limit")


def test_a_network_without_attention_gives_none():
    curve, classified = with_everything([60000.0, 60001.0], [1.0, 2.0], [1.0, 1.0])
    pair = curve, replace(classified, attention=None)
    [text] = written(pair)
    assert orjson.loads(text) == orjson.loads(plain_json(*pair))
    assert [point["attention"] for point in orjson.loads(text)] == [None, None]


def test_no_light_curve_and_an_empty_one_are_written():
    assert written() == []
    assert written(with_everything([], [], [])) == [b"[]"]


def test_the_longest_point_has_room():
    mjd = 99999.123456789012 + np.arange(50)
    curve = curve_from_arrays(mjd, [-0.9e12] * 50, [-0.9e12] * 50, [5] * 50, Kind.UPPER_LIMIT)
    reason = np.full(50, REASONS.index("before_episode"), dtype=np.uint8)
    used, weights = np.arange(50), np.full(50, 0.123456)
    [text] = written((curve, Classification(ONE_CLASS, np.ones(1), used, weights, reason)))
    assert len(orjson.loads(text)) == 50
    assert len(text) <= 2 + _MOST_BYTES * 50
