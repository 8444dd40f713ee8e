"""Light curves for tests: made up, or drawn by hypothesis."""

import numpy as np
from hypothesis import strategies as st

from broker_classifier.light_curve import Kind, LightCurve, curve_from_arrays


@st.composite
def light_curves(draw, max_points=30, usable_only=False):
    """Light curves of every kind, with gaps of hours to years; maybe empty."""
    n = draw(st.integers(1 if usable_only else 0, max_points))
    gaps = st.sampled_from([0.01, 0.2, 1.0, 3.0, 9.0, 31.0, 60.0, 101.0, 400.0])
    columns = st.tuples(
        gaps,
        st.floats(1e3, 1e6) if usable_only else st.floats(-1e5, 1e6),
        st.floats(100.0, 1e4),
        st.sampled_from([1, 2]) if usable_only else st.integers(0, 5),
        st.just(Kind.DETECTION) if usable_only else st.sampled_from(list(Kind)),
        st.just(False) if usable_only else st.booleans(),
    )
    points = draw(st.lists(columns, min_size=n, max_size=n))
    gap, flux, err, band, kind, withdrawn = (
        zip(*points, strict=True) if points else ([], [], [], [], [], [])
    )
    psf_flux = np.where(np.array(kind, dtype=int) == Kind.UPPER_LIMIT, np.nan, flux)
    mjd = 59000.0 + np.cumsum(np.array(gap, dtype=float))
    return curve_from_arrays(
        mjd,
        psf_flux,
        err,
        np.array(band, dtype=int),
        np.array(kind, dtype=int),
        np.array(withdrawn),
    )


def detections(mjd, flux=20000.0, err=1000.0, band=None) -> LightCurve:
    """Detections at these times, r band unless said otherwise."""
    return curve_from_arrays(
        mjd, np.broadcast_to(flux, np.shape(mjd)), err, 2 if band is None else band
    )
