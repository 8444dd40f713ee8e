import numpy as np
import pytest

from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.lost_signs import without_lost_signs, without_negative

EVENT = np.arange(0.0, 120.0, 3.0)
YEARS_AFTER = np.concatenate([400.0 + np.arange(0, 90, 9.0), 760.0 + np.arange(0, 90, 9.0)])
MJD = 58300.0 + np.concatenate([EVENT, YEARS_AFTER])


def light(mjd):
    """Of a supernova at its brightest, 1e5 nJy, after 15 days."""
    age = mjd - MJD[0] - 15.0
    return 1e5 * np.exp(-np.where(age < 0, (age / 10) ** 2 / 2, age / 25))


def seen(in_reference, threshold=1.5e4, source="unsigned", band=1):
    """What alerts without a sign show of it where the reference holds so much of its light."""
    flux = np.abs(light(MJD) - in_reference)
    is_alert = flux > threshold
    mjd, flux = MJD[is_alert], flux[is_alert]
    n = len(mjd)
    err = np.full(n, 2e3)
    return LabelledObject("a", "a", "SNIa", source, True, mjd, flux, err, np.full(n, band))


def test_negative_points_of_a_supernova_in_its_reference_are_left_out():
    view = seen(in_reference=4e4)
    kept = without_negative(view)
    n_positive = int((light(view.mjd) > 4e4).sum())
    assert kept.mjd.tolist() == view.mjd[: len(kept.mjd)].tolist()
    assert 6 < n_positive - 1 <= len(kept.mjd) <= n_positive  # one may be too faint to tell
    assert len(view.mjd) > n_positive + 20


def test_a_band_that_was_negative_throughout_is_left_out():
    view = seen(in_reference=1e5)
    assert len(without_negative(view.at(np.flatnonzero(view.mjd > MJD[0] + 15))).mjd) == 0


def test_the_other_band_stays():
    view = seen(in_reference=4e4)
    both = LabelledObject(
        "a",
        "a",
        "SNIa",
        "unsigned",
        True,
        np.concatenate([MJD, view.mjd]),
        np.concatenate([light(MJD), view.flux]),
        np.full(len(MJD) + len(view.mjd), 2e3),
        np.repeat([1, 2], [len(MJD), len(view.mjd)]),
    )
    kept = without_negative(both)
    assert (kept.band == 1).sum() == len(MJD)
    assert kept.mjd[kept.band == 2].tolist() == without_negative(view).mjd.tolist()


def test_what_fades_or_varies_over_the_years_is_left_as_it_is():
    slow = 1e5 * np.exp(-(MJD - MJD[0]) / 500.0)
    n = len(MJD)
    view = LabelledObject("a", "a", "SLSN-I", "s", True, MJD, slow, slow / 10, np.full(n, 1))
    assert without_negative(view) is view


def test_a_light_curve_of_one_season_is_left_as_it_is():
    view = seen(in_reference=4e4).at(np.arange(15))
    assert without_negative(view) is view


@pytest.mark.parametrize(("source", "is_cut"), [("unsigned", True), ("signed", False)])
def test_only_sources_that_lost_the_sign_are_looked_at(source, is_cut):
    view = seen(in_reference=4e4, source=source)
    (kept,) = without_lost_signs([view], ["unsigned"])
    assert (len(kept.mjd) < len(view.mjd)) is is_cut
