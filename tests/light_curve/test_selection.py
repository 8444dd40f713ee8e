import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.light_curve import BANDS, EMPTY, Kind, curve_from_arrays, light_curve
from broker_classifier.light_curve.selection import Selection, episodes, is_episode_start, select
from broker_classifier.light_curve.selection_rules import REASONS
from tests.curves import detections, light_curves

RULES = Selection()


def rejected_alone(**changed):
    point = {
        "mjd": 1.0,
        "psf_flux": 9.0,
        "psf_flux_err": 1.0,
        "band_index": 1,
        "kind": Kind.DETECTION,
    }
    columns = {name: [value] for name, value in (point | changed).items()}
    return select(curve_from_arrays(**columns), RULES).rejected


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"band_index": 3}, "band"),
        ({"kind": Kind.UPPER_LIMIT, "psf_flux": np.nan}, "upper_limit"),
        ({"kind": Kind.FORCED}, "forced"),
        ({"psf_flux": -9.0}, "negative"),
        ({"psf_flux": np.nan}, "not_finite"),
        ({"psf_flux_err": np.inf}, "not_finite"),
        ({"psf_flux_err": 0.0}, "not_finite"),
        ({"is_withdrawn": True}, "withdrawn"),
    ],
)
def test_every_rejected_point_has_its_reason(changed, reason):
    assert rejected_alone(**changed) == (reason,)


def test_the_first_point_of_a_band_and_night_counts():
    curve = detections([59000.2, 59000.3, 59000.35, 59000.6, 59001.2], band=[2, 1, 2, 2, 2])
    assert select(curve, RULES).rejected == ("", "", "same_night", "same_night", "")


def test_a_withdrawn_point_gives_its_night_to_the_next():
    curve = light_curve([1.2, 1.3], 9.0, 1.0, "r", is_withdrawn=[True, False])
    assert select(curve, RULES).rejected == ("withdrawn", "")


def test_an_isolated_detection_does_not_open_the_episode_of_the_next():
    curve = detections([100.0, 140.0, 145.0])
    assert select(curve, RULES).rejected == ("before_episode", "", "")


def test_two_close_detections_keep_an_episode_open_over_a_gap_of_forty_days():
    assert select(detections([100.0, 105.0, 145.0]), RULES).rejected == ("", "", "")


def test_a_gap_above_a_hundred_days_opens_an_episode():
    curve = detections([100.0, 105.0, 206.0])
    assert select(curve, RULES).rejected == ("before_episode", "before_episode", "")


def test_points_after_the_window_are_left_out():
    curve = detections([0.0, 1.0, 99.0, 198.0, 200.0, 201.0])
    assert select(curve, RULES).rejected == ("", "", "", "", "", "after_window")


def test_an_empty_light_curve_gives_nothing():
    assert select(EMPTY, RULES).index.tolist() == []


def test_forced_photometry_is_taken_where_the_rules_say_so():
    curve = light_curve([1.0, 2.0], [-9.0, 9.0], 1.0, "g", [Kind.FORCED, Kind.DETECTION])
    rules = Selection(kinds=("forced",), positive_only=False)
    assert select(curve, rules).rejected == ("", "detection")


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.5, 29.0, 31.0, 99.0, 101.0]), max_size=12))
def test_episodes_start_where_the_rule_read_aloud_says(gaps):
    mjd = np.cumsum([0.0, *gaps])
    expected, n_in_episode = [True], 1
    for gap in gaps:
        opens = gap > 100 or (n_in_episode == 1 and gap > 30)
        expected.append(opens)
        n_in_episode = 1 if opens else n_in_episode + 1
    assert is_episode_start(mjd, RULES).tolist() == expected


@settings(deadline=None)
@given(light_curves())
def test_every_point_is_used_or_has_a_reason(curve):
    selected = select(curve, RULES)
    used = [i for i, reason in enumerate(selected.rejected) if reason == ""]
    assert used == selected.index.tolist()
    assert len(selected.rejected) == len(curve)
    assert set(selected.rejected) <= set(REASONS)


@settings(deadline=None)
@given(light_curves())
def test_the_newest_of_the_episodes_is_the_selected_one(curve):
    all_episodes = episodes(curve, RULES)
    newest = all_episodes[-1] if all_episodes else np.empty(0)
    assert newest.tolist() == select(curve, RULES).index.tolist()
    for episode in all_episodes:
        earlier = curve.until(curve.mjd[episode[-1]])
        assert select(earlier, RULES).index.tolist() == episode.tolist()


@settings(deadline=None)
@given(light_curves(), st.floats(59000, 60000))
def test_a_point_used_now_was_used_when_it_was_new(curve, mjd):
    now, then = select(curve, RULES), select(curve.until(mjd), RULES)
    seen = len(curve.until(mjd))
    for a, b in zip(now.rejected[:seen], then.rejected, strict=True):
        assert a == b or a == "before_episode"  # the one change that later points may bring


def reasons_told_slowly(curve, rules):
    """The rules again, point by point, as one would explain them."""
    reasons, seen = [], set()
    for point, band, kind in zip(curve.points, curve.band, curve.kind, strict=True):
        night = int(np.floor(point["mjd"] + rules.night_offset_days)), int(band)
        if kind != Kind.DETECTION:
            reason = Kind(kind).name.lower()
        elif BANDS[band] not in rules.bands:
            reason = "band"
        elif not np.isfinite(point["psf_flux"]):
            reason = "not_finite"
        elif point["psf_flux"] <= 0:
            reason = "negative"
        else:
            reason = "same_night" if night in seen else ""
            seen.add(night)
        reasons.append(reason)
    return reasons


@given(
    st.lists(
        st.tuples(
            st.floats(60000.0, 60003.0),
            st.sampled_from([-5.0, 0.0, 7.0, np.nan]),
            st.sampled_from([1, 2, 3]),
            st.sampled_from(list(Kind)),
        ),
        min_size=1,
    )
)
def test_every_reason_is_the_one_that_the_rules_give(points):
    mjd, flux, band, kind = zip(*points, strict=True)
    curve = curve_from_arrays(mjd, flux, 1.0, band, kind)
    assert list(select(curve, RULES).rejected) == reasons_told_slowly(curve, RULES)
