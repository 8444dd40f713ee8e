from broker_classifier.light_curve import Kind, light_curve
from broker_classifier.training.judge.cuts import (
    FULL,
    all_cuts,
    cut_of,
    cut_positions,
    figures_by_cut,
    n_before_detection,
)
from tests.curves import detections


def positions(mjd, family):
    reached = cut_positions(detections(mjd))
    return {cut.value: position for cut, position in reached if cut.family == family}


def test_detections_count_from_one_and_stop_at_the_end():
    assert positions([0.0, 1.0, 4.0, 9.0], "by_detections") == {"1": 0, "2": 1, "3": 2}


def test_days_count_from_the_first_detection_to_the_end_of_the_night():
    reached = positions([100.0, 100.4, 102.4, 105.6, 130.0], "by_days")
    assert reached == {"0": 1, "2": 2, "5": 2, "10": 3, "20": 3, "30": 4, "50": 4}


def test_fractions_are_of_the_time_span():
    assert positions([0.0, 2.0, 5.0, 8.0], "by_fraction") == {"0.25": 1, "0.5": 1, "1.0": 3}


def test_every_light_curve_reaches_the_full_cut():
    assert positions([3.0], "full") == {"": 0}


def test_forced_photometry_does_not_count_as_a_detection():
    kind = [Kind.FORCED, Kind.FORCED, Kind.DETECTION, Kind.FORCED, Kind.DETECTION]
    curve = light_curve([0.0, 8.0, 10.0, 12.0, 15.0], 100.0, 10.0, "r", kind)
    reached = dict(cut_positions(curve))
    by_days = {cut.value: p for cut, p in reached.items() if cut.family == "by_days"}
    assert {c.value: p for c, p in reached.items() if c.family == "by_detections"} == {
        "1": 2,
        "2": 4,
    }
    assert (by_days["0"], by_days["2"], by_days["5"]) == (2, 3, 4)
    assert n_before_detection(curve) == 2


def test_a_light_curve_without_detections_reaches_fractions_and_the_end_only():
    curve = light_curve([0.0, 8.0], 100.0, 90.0, "r", Kind.FORCED)
    assert {cut.family for cut, _ in cut_positions(curve)} == {"by_fraction", "full"}
    assert n_before_detection(curve) == 2


def test_every_cut_has_a_key_and_a_title_of_its_own():
    cuts = all_cuts()
    assert [cut_of(cut.key) for cut in cuts] == cuts
    assert len({cut.title for cut in cuts}) == len(cuts)


def test_figures_are_read_of_the_cuts_that_have_some():
    metrics = {
        "by_detections": {"3": {"n": 2}},
        "by_days": {},
        "by_fraction": {"0.5": {"n": 4}},
        "full": {"n": 5},
    }
    read = figures_by_cut(metrics)
    assert [cut.key for cut in read] == ["by_detections_3", "by_fraction_0.5", "full"]
    assert (read[cut_of("by_detections_3")], read[FULL]) == ({"n": 2}, {"n": 5})


def test_the_cuts_are_those_of_the_issue():
    assert [cut.value for cut in all_cuts()] == [
        *("1", "2", "3", "5", "10", "20"),
        *("0", "2", "5", "10", "20", "30", "50"),
        *("0.25", "0.5", "1.0"),
        "",
    ]
