"""What the detections of a light curve say, against the same counted one by one."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.light_curve import EMPTY, Kind, joined, light_curve, starts_of
from broker_classifier.surveys.source.history import Histories, histories, history
from tests.curves import light_curves


def expected(curve, until_mjd):
    """Count in the plainest way."""
    rows = [
        (mjd, band, flux)
        for mjd, band, flux, kind, withdrawn in zip(
            curve.mjd, curve.band, curve.psf_flux, curve.kind, curve.is_withdrawn, strict=True
        )
        if kind == Kind.DETECTION and not withdrawn and mjd <= until_mjd and not np.isnan(flux)
    ]
    negative = [abs(float(flux)) for _, _, flux in rows if flux < 0]
    recent = [(mjd, band, flux < 0) for mjd, band, flux in rows if mjd >= until_mjd - 30.0]
    signs = {band: [sign for _, b, sign in recent if b == band] for _, band, _ in recent}
    changes = [sum(a != b for a, b in pairwise(s)) for s in signs.values()]
    nights = Counter(sign for _, _, sign in {(np.floor(m + 0.3), b, s) for m, b, s in recent})
    return Histories(
        rows[0][0] if rows else np.nan,
        len(rows),
        len(negative),
        np.mean(negative) if negative else np.nan,
        max(changes, default=0),
        min(nights[True], nights[False]),
    )


@given(st.lists(light_curves(), max_size=5), st.floats(58990, 59300))
def test_histories_are_what_counting_one_by_one_gives(curves, until_mjd):
    starts = starts_of(len(curve) for curve in curves)
    past = histories(joined(curves), starts, np.full(len(curves), until_mjd))
    for c, curve in enumerate(curves):
        np.testing.assert_allclose(
            [column[c] for column in past], expected(curve, until_mjd), rtol=1e-6
        )


def test_a_light_curve_without_points_has_no_history():
    past = history(EMPTY, 60000.0)
    assert np.isnan([past.first_mjd[0], past.negative_flux[0]]).all()
    assert (past.n_detections[0], past.n_sign_changes[0]) == (0, 0)


@pytest.mark.parametrize(("fluxes", "changes"), [("+-+-", 3), ("++--", 1), ("----", 0)])
def test_signs_are_compared_within_a_band(fluxes, changes):
    flux = [100.0 if sign == "+" else -100.0 for sign in fluxes]
    curve = light_curve([60000.0 + day for day in range(4)], flux, 5.0, "rrrr")
    other = light_curve([60000.5 + day for day in range(4)], -np.array(flux), 5.0, "gggg")
    assert history(curve.merge(other), 60010.0).n_sign_changes[0] == changes


def test_what_is_older_than_30_days_counts_as_detected_but_not_as_recent():
    curve = light_curve([60000.0, 60001.0, 60040.0], [1.0, -1.0, 1.0], 0.1, "rrr")
    past = history(curve, 60040.0)
    assert (past.n_detections[0], past.n_sign_changes[0]) == (3, 0)
