"""Conversions against astropy, which knows units better than we do."""

import astropy.units as u
import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.light_curve import photometry

magnitudes = st.floats(5.0, 30.0)


@given(magnitudes)
def test_flux_of_a_magnitude_is_the_ab_flux_of_astropy(magnitude):
    expected = (magnitude * u.ABmag).to_value(u.nJy)
    assert photometry.flux_from_magnitude(magnitude) == pytest.approx(expected, rel=1e-12)


@given(magnitudes)
def test_magnitude_undoes_flux(magnitude):
    flux = photometry.flux_from_magnitude(magnitude)
    assert photometry.magnitude_from_flux(flux) == pytest.approx(magnitude, abs=1e-9)


@given(magnitudes, st.floats(1e-4, 0.3))
def test_flux_error_is_the_slope_of_the_flux(magnitude, err):
    flux = photometry.flux_from_magnitude(magnitude)
    step = 1e-6
    slope = (photometry.flux_from_magnitude(magnitude - step) - flux) / step
    assert photometry.flux_err_from_magnitude_err(flux, err) == pytest.approx(slope * err, rel=1e-5)


@given(st.floats(58000.0, 61800.0))
def test_tai_is_astropys_to_utc(mjd_tai):
    expected = Time(mjd_tai, format="mjd", scale="tai").utc.mjd
    assert photometry.mjd_from_tai(mjd_tai) == pytest.approx(expected, rel=0, abs=6e-8)


@given(st.floats(1.0, 1e6), st.floats(22.0, 28.0))
def test_counts_with_their_zero_point_are_the_magnitude_they_define(counts, zero_point):
    magnitude = photometry.magnitude_from_flux(counts) - photometry.AB_ZERO_POINT_NJY + zero_point
    expected = (magnitude * u.ABmag).to_value(u.nJy)
    assert photometry.flux_from_counts(counts, zero_point) == pytest.approx(expected, rel=1e-9)


@given(st.floats(2455000.5, 2470000.5))
def test_mjd_is_astropys_to_nine_milliseconds(jd):
    expected = Time(jd, format="jd", scale="utc").mjd
    assert photometry.mjd_from_jd(jd) == pytest.approx(expected, abs=1.1e-7, rel=0)
