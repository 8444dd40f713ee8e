"""A batch's light curves against the same made one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from broker_classifier.light_curve import Kind, curve_from_arrays
from broker_classifier.surveys.batch_curves import NO_BAND, BatchPoints, light_curves

POINTS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from([60000.0, 60001.5, 60001.25, 60002.0, np.nan, np.inf]),
        st.sampled_from([1.0, -2.0, 3.5, 1e39, np.nan]),
        st.sampled_from([0.5, 0.25, np.nan]),
        st.sampled_from([0, 1, 5, NO_BAND]),
        st.sampled_from(list(Kind)),
        st.booleans(),
    ),
    max_size=40,
)


def batch(rows):
    columns = np.array(sorted(rows, key=lambda row: row[0]), dtype=float).reshape(-1, 7).T
    owner, mjd, flux, flux_err, band, kind, withdrawn = columns
    flux = np.where(kind == Kind.UPPER_LIMIT, np.nan, flux)
    words = (band.astype(np.uint8), kind.astype(np.uint8), withdrawn.astype(bool))
    return BatchPoints(owner.astype(np.int32), mjd, flux, flux_err, *words)


@given(POINTS)
def test_every_alert_has_the_light_curve_of_its_own_usable_points(rows):
    points = batch(rows)
    is_flux = np.abs(points.psf_flux) < 1e38
    usable = np.isfinite(points.mjd) & np.isfinite(points.psf_flux_err)
    usable &= (points.band != NO_BAND) & (is_flux | (points.kind == Kind.UPPER_LIMIT))
    for alert, curve in enumerate(light_curves(points, 7).curves):
        own = usable & (points.owner == alert)
        assert curve == curve_from_arrays(
            points.mjd[own],
            points.psf_flux[own],
            points.psf_flux_err[own],
            points.band[own],
            points.kind[own],
            points.is_withdrawn[own],
        )


@given(arrays.arrays(np.float64, st.integers(0, 300), elements=st.floats(6e4, 6.1e4)))
def test_times_in_any_order_are_sorted(mjd):
    n = len(mjd)
    ones, zeros = np.ones(n), np.zeros(n, dtype=np.uint8)
    points = BatchPoints(zeros.astype(np.int32), mjd, ones, ones, zeros, zeros, zeros.astype(bool))
    [curve] = light_curves(points, 1).curves
    assert curve.mjd.tolist() == sorted(set(mjd.tolist()))


def test_alerts_without_points_are_empty():
    assert [len(curve) for curve in light_curves(batch([]), 3).curves] == [0, 0, 0]
