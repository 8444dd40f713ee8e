import json
from dataclasses import replace

import numpy as np
import pytest

from broker_classifier.errors import BundleError
from broker_classifier.light_curve import Kind
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.cadence import Cadence
from broker_classifier.training.homogenise.homogenisation import (
    Homogenisation,
    error_ranks,
    homogenised,
    is_from_alerts,
    read_homogenisation,
    seen_again,
)
from tests.training.homogenise.test_visits import VISITS
from tests.training.noises import plain_noise, sharp_noise

RULES = Homogenisation(alert_sources=("alerts",), noise=plain_noise())


def labelled(flux, source="forced", name="a", label="SNIa", err=100.0, per_night=1):
    n = len(flux)
    mjd = 59000.0 + np.arange(n) / per_night
    band = np.full(n, 2)
    return LabelledObject(name, name, label, source, True, mjd, flux, np.full(n, err), band)


def test_alerts_are_taken_as_they_are():
    view = labelled(np.array([5e3, 1e5, -7e3]), source="alerts")
    (curve,) = homogenised([view], RULES)
    assert curve.psf_flux.tolist() == [5e3, 1e5, -7e3]
    assert curve.psf_flux_err.tolist() == [100.0] * 3


@pytest.mark.parametrize(
    ("source", "is_forced", "is_alert"),
    [
        ("alerts", False, True),
        ("alerts", None, True),
        ("alerts", True, False),
        ("forced", False, False),
        ("", False, True),
        ("", True, False),
        ("", None, False),
    ],
)
def test_alerts_are_told_by_their_source_and_by_the_flag(source, is_forced, is_alert):
    view = replace(labelled(np.array([1e6]), source), is_forced=is_forced)
    view = replace(view, names_source=bool(source))
    assert is_from_alerts(view, RULES.alert_sources) is is_alert


def test_forced_points_get_errors_of_alerts():
    (curve,) = homogenised([labelled(np.full(200, 1e6))], RULES)
    assert 1e3 <= curve.psf_flux_err.min() < curve.psf_flux_err.max() <= 1e4 * 1.001


def test_forced_points_get_the_scatter_of_alerts():
    (curve,) = homogenised([labelled(np.full(4000, 1e6))], RULES)
    pulls = (curve.psf_flux - 1e6) / curve.psf_flux_err
    assert pulls.std() == pytest.approx(RULES.noise.scatter_fraction, rel=0.1)


def test_forced_points_too_faint_for_their_visit_are_no_alerts():
    """At flux 2e4 and depths of 1e3 to 1e4, evenly in log, those below 2e4 / 5 find it: 60 %."""
    deep = RULES.noise.depth.model_copy(update={"scales": {"forced": (10.0, 10.0)}})
    rules = RULES.model_copy(update={"noise": RULES.noise.model_copy(update={"depth": deep})})
    view = replace(labelled(np.full(4000, 2e4)), flux_err=np.geomspace(100, 1000, 4000))
    alerts = homogenised([view], rules)[0]
    visits = homogenised([replace(view, flux=np.full(4000, 1e9))], rules)[0]
    assert len(alerts) / len(visits) == pytest.approx(np.log10(4), abs=0.03)
    assert set(visits.mjd[:300].tolist()) <= set(alerts.mjd.tolist()) <= set(visits.mjd.tolist())


def test_forced_photometry_that_no_visit_finds_leaves_nothing():
    assert [len(c) for c in homogenised([labelled(np.full(200, 100.0))], RULES)] == [0]


def test_forced_photometry_below_a_sharp_threshold_stays_what_it_is():
    rules = RULES.model_copy(update={"noise": sharp_noise()})
    (curve,) = homogenised([labelled(np.full(200, 1.5e4))], rules)
    snr = curve.psf_flux / curve.psf_flux_err
    assert ((curve.kind == Kind.DETECTION) == (snr >= 5)).all()
    assert set(curve.kind.tolist()) == {Kind.DETECTION, Kind.FORCED}


def test_forced_photometry_is_thinned_to_one_visit_in_one_to_three_nights():
    (curve,) = homogenised([labelled(np.full(900, 1e7), per_night=3)], RULES)
    nights = np.diff(np.floor(curve.mjd + 0.3))
    assert set(nights.tolist()) <= {1.0, 2.0, 3.0}
    assert nights.mean() == pytest.approx(2.2, abs=0.2)


def test_a_visit_keeps_every_band_of_its_night():
    view = labelled(np.full(900, 1e7), per_night=3)
    view = replace(view, band=np.tile([1, 2, 2], 300))
    (curve,) = homogenised([view], RULES)
    nights = [set(np.floor(curve.mjd[curve.band == band] + 0.3).tolist()) for band in (1, 2)]
    assert nights[0] == nights[1]
    assert [len(of_band) for of_band in nights] == [
        np.count_nonzero(curve.band == b) for b in (1, 2)
    ]
    assert set(np.diff(sorted(nights[0])).tolist()) <= {1.0, 2.0, 3.0}


def test_nights_of_other_bands_take_no_visit():
    view = labelled(np.full(900, 1e7))
    with_i = replace(view, band=np.tile([2, 3, 3], 300))
    only_r = view.at(np.arange(0, 900, 3))
    assert homogenised([with_i], RULES) == homogenised([only_r], RULES)


def test_a_night_is_thinned_as_its_own_half_year():
    cadence = Cadence(first_night=59000, shares=((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)))
    (curve,) = homogenised(
        [labelled(np.full(360, 1e7))], RULES.model_copy(update={"cadence": cadence})
    )
    nights = np.floor(curve.mjd + 0.3) - 59000
    assert np.diff(nights[nights < 180]).tolist() == [3.0] * 59
    assert set(np.diff(nights[nights > 185]).tolist()) == {1.0}


def test_of_a_source_of_both_kinds_only_what_is_forced_becomes_alert_like():
    view = labelled(np.full(300, 1e6), "alerts")
    alerts, forced = homogenised([view, replace(view, object_id="b", is_forced=True)], RULES)
    assert set(alerts.psf_flux_err.tolist()) == {100.0}
    assert forced.psf_flux_err.min() >= 1e3


def test_the_label_plays_no_part():
    view = labelled(np.geomspace(1e4, 1e6, 50))
    as_sn, as_agn = homogenised([view], RULES), homogenised([replace(view, label="AGN")], RULES)
    assert as_sn == as_agn


def test_a_sharp_threshold_loses_no_point():
    rules = RULES.model_copy(update={"noise": sharp_noise()})
    (curve,) = homogenised([labelled(np.array([900.0, -900.0, 400.0]), source="alerts")], rules)
    assert curve.kind.tolist() == [Kind.DETECTION, Kind.DETECTION, Kind.FORCED]


def test_only_what_another_survey_saw_is_observed_again():
    rules = RULES.model_copy(update={"visits": (VISITS,)})
    flux = np.full(300, 1e6)
    alerts, again = homogenised([labelled(flux, "alerts"), labelled(flux, "forced", "b")], rules)
    assert set(alerts.psf_flux_err.tolist()) == {100.0}
    assert len(alerts) == 300
    assert 10**2.0 <= again.psf_flux_err.min() < again.psf_flux_err.max() <= 10**2.2001
    assert 20 < len(again) < 100  # r in three of four nights, every five nights


def test_a_second_view_is_observed_at_the_visits_of_another_source():
    deep = VISITS.model_copy(update={"source": "alerts", "log_err": ((0.0,) * 11,) * 3})
    rules = RULES.model_copy(update={"visits": (deep, VISITS)})
    views = [labelled(np.full(300, 1e6), "alerts", f"name{i}") for i in range(10)]
    for curve in homogenised(seen_again(views), rules):
        assert curve.psf_flux_err.min() >= 10**2.0
    assert [o.canonical_id for o in seen_again(views)] == [o.canonical_id for o in views]


def test_another_draw_observes_an_object_again_at_other_visits():
    rules = RULES.model_copy(update={"visits": (VISITS,)})
    views = [labelled(np.full(300, 1e6))]
    first, again, second = (homogenised(views, rules, draw) for draw in (0, 0, 1))
    assert first == again
    assert first != second


def test_every_run_draws_the_same():
    views = [labelled(np.geomspace(1e4, 1e6, 50), name=name) for name in "ab"]
    assert homogenised(views, RULES) == homogenised(views, RULES)


def test_errors_are_ranked_among_points_of_like_flux():
    view = replace(labelled(np.full(20, 1e6)), flux_err=np.arange(20.0) + 1)
    expected = (np.arange(20) + 0.5) / 20
    assert error_ranks([view])["a"] == pytest.approx(expected)


def test_another_draw_sees_the_same_source_at_other_visits():
    views = [labelled(np.full(900, 1e6), per_night=3), labelled(np.full(9, 1e6), "alerts", "b")]
    first, again, second = (homogenised(views, RULES, draw) for draw in (0, 0, 1))
    assert first == again
    assert first[0] != second[0]
    assert first[1] == second[1]  # alerts are what they are


def test_an_object_without_points_gives_an_empty_curve():
    assert [len(c) for c in homogenised([labelled(np.empty(0))], RULES)] == [0]


def test_a_bundle_without_its_homogenisation_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"homogenisation.json"):
        read_homogenisation(tmp_path)


def test_a_bundle_with_one_cadence_of_all_years_is_read(tmp_path):
    table = json.loads(RULES.model_dump_json())
    del table["cadence"]
    table |= {"cadence_nights": [2, 4], "joint_visits": False}
    (tmp_path / "homogenisation.json").write_text(json.dumps(table))
    assert read_homogenisation(tmp_path).cadence == Cadence(shares=((0.0, 0.5, 0.0, 0.5),))


def test_a_bundle_that_names_no_ranks_of_its_errors_has_tenths(tmp_path):
    table = json.loads(RULES.model_dump_json())
    del table["noise"]["ranks"]
    (tmp_path / "homogenisation.json").write_text(json.dumps(table))
    assert read_homogenisation(tmp_path).noise.ranks == tuple(i / 10 for i in range(11))


def test_a_bundle_that_knew_of_no_visits_is_read(tmp_path):
    (tmp_path / "homogenisation.json").write_text(
        RULES.model_dump_json().replace('"visits":[]', '"visits":null')
    )
    assert '"visits":null' in (tmp_path / "homogenisation.json").read_text()
    assert read_homogenisation(tmp_path) == RULES
