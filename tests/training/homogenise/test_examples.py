import numpy as np
import pytest

from broker_classifier.light_curve import Kind, light_curve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.fit.augment import augmented
from broker_classifier.training.homogenise.alert_noise import AlertNoise
from broker_classifier.training.homogenise.examples import Example, main_episode, make_examples
from broker_classifier.training.homogenise.homogenisation import Homogenisation
from broker_classifier.training.recipe_tables import Augmentation
from tests.curves import detections
from tests.training.noises import plain_noise, sharp_noise

RULES, NOISE = Selection(), plain_noise()
SHARP = sharp_noise()
FAINT = np.array([Kind.FORCED] * 2 + [Kind.DETECTION] * 2 + [Kind.FORCED] * 2)
UNCHANGED = Augmentation(
    scale_probability=0, drop_probability=0, hard_cut_probability=0, late_start_probability=0
)


def example(curve):
    return Example("a", "s", 0, 1.0, (curve,))


def varied(curve, noise: AlertNoise = NOISE, **settings):
    chosen = UNCHANGED.model_copy(update=settings)
    random = np.random.default_rng(1)
    return [augmented(example(curve), chosen, noise, RULES, random) for _ in range(50)]


def test_the_event_is_the_first_episode_with_two_points():
    curve = detections([0.0, 400.0, 401.0, 800.0])
    assert main_episode(curve, RULES).mjd.tolist() == [400.0, 401.0]


def test_a_lone_detection_is_an_event_where_there_is_no_other():
    assert main_episode(detections([7.0]), RULES).mjd.tolist() == [7.0]


def test_views_of_an_object_share_its_weight():
    def view(object_id, canonical_id):
        flux = np.array([3e4])
        band = np.array([2])
        return LabelledObject(
            object_id, canonical_id, "AGN", "s", True, flux * 0, flux, flux / 10, band
        )

    views = [view("a@1", "a"), view("a@2", "a"), view("b", "b")]
    rules = Homogenisation(alert_sources=("s",), noise=NOISE)
    examples = make_examples(views, rules, RULES, ("SNIa", "AGN"))
    assert [(e.canonical_id, e.target, e.weight) for e in examples] == [
        ("a", 1, 0.5),
        ("a", 1, 0.5),
        ("b", 1, 1.0),
    ]


def test_what_is_forced_is_an_example_of_what_several_draws_would_have_seen():
    n = 300
    columns = np.arange(59000.0, 59000.0 + n), np.full(n, 1e6), np.full(n, 100.0), np.full(n, 2)
    objects = [
        LabelledObject(name, name, "SNIa", source, True, *columns)
        for name, source in (("a", "alerts"), ("b", "forced"))
    ]
    rules = Homogenisation(alert_sources=("alerts",), noise=NOISE)
    once = make_examples(objects, rules, RULES, ["SNIa"])
    often = make_examples(objects, rules, RULES, ["SNIa"], n_draws=4)
    assert [len(e.curves) for e in once] == [1, 1]
    assert [len(e.curves) for e in often] == [1, 4]
    assert often[1].curves[0] == once[1].curves[0]
    assert len({c.mjd.tobytes() for c in often[1].curves}) == 4


def test_every_draw_has_around_it_what_was_measured_in_that_draw():
    n = 300
    columns = np.arange(59000.0, 59000.0 + n), np.full(n, 1e6), np.full(n, 100.0), np.full(n, 2)
    view = LabelledObject("b", "b", "SNIa", "forced", True, *columns)
    rules = Homogenisation(alert_sources=("alerts",), noise=SHARP)
    (seen,) = make_examples([view], rules, RULES, ["SNIa"], n_draws=3)
    assert len(seen.measured) == len(seen.curves) == 3
    for curve, measured in zip(seen.curves, seen.measured, strict=True):
        assert set(curve.mjd.tolist()) <= set(measured.mjd.tolist())


def test_without_augmentation_a_curve_stays_as_it_is():
    curve = detections([0.0, 1.0, 5.0])
    assert all(c == curve for c in varied(curve))


def test_dimming_keeps_colours_and_loses_points_below_the_threshold():
    curve = detections(np.arange(30.0), np.geomspace(6e3, 1e6, 30), 1000.0)
    dimmed = varied(curve, scale_probability=1, ln_dimmest=-0.9, ln_brightest=-0.8)
    assert all(0 < len(c) < 30 for c in dimmed)
    assert all(c.psf_flux.max() < 0.6e6 for c in dimmed)


def test_a_dimmed_point_has_the_error_of_its_visit():
    """Without excess the error is the depth: the same for the bright source and the dim one."""
    curve = detections(np.arange(0.0, 90.0, 3.0), 1e6, np.geomspace(1e3, 1e4, 30))
    for dimmed in varied(curve, scale_probability=1, ln_dimmest=-0.9, ln_brightest=-0.8):
        assert dimmed.psf_flux_err == pytest.approx(curve.psf_flux_err, rel=1e-5)


def test_the_hard_cut_leaves_only_five_sigma_points():
    curve = detections([0.0, 1.0, 2.0], [4e3, 5e3, 9e3], 1000.0)
    assert all(c.mjd.tolist() == [1.0, 2.0] for c in varied(curve, hard_cut_probability=1))


def test_a_slower_survey_comes_back_after_as_many_nights_with_all_of_its_bands():
    curve = detections(np.repeat(np.arange(60.0), 2), 1e6, band=np.tile([1, 2], 60))
    expected = np.repeat(np.arange(0.0, 60.0, 4.0), 2).tolist()
    for slower in varied(curve, fewer_visits_probability=1, visit_gaps=(4,)):
        assert slower.mjd.tolist() == expected


def test_only_the_kept_bands_stay():
    curve = detections([0.0, 1.0, 2.0], band=[1, 2, 1])
    kept = varied(curve, kept_bands=("g",), kept_bands_probability=1)
    assert all(c.mjd.tolist() == [0.0, 2.0] for c in kept)


def test_a_curve_without_the_kept_bands_stays_as_it_is():
    curve = detections([0.0, 1.0], band=[2, 2])
    assert all(c == curve for c in varied(curve, kept_bands=("g",), kept_bands_probability=1))


def test_what_was_too_faint_can_be_detected_when_it_is_brighter():
    whole = light_curve(np.arange(6.0), [2e3, 4e3, 8e4, 9e4, 4e3, 2e3], 1e3, "r", FAINT)
    event = Example("a", "s", 0, 1.0, (main_episode(whole, RULES),), (whole,))
    brighter = UNCHANGED.model_copy(
        update={"scale_probability": 1.0, "ln_dimmest": 0.9, "ln_brightest": 0.91, "stretch": 0.0}
    )
    random = np.random.default_rng(0)
    varied_curve = augmented(event, brighter, SHARP, RULES, random)
    assert len(event.curves[0]) == 2
    assert varied_curve.mjd.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (varied_curve.kind == Kind.DETECTION).all()


def test_an_event_too_faint_to_be_dimmed_is_left_as_it_is():
    whole = light_curve([0.0, 1.0], [5.5e3, 1e2], 1e3, "r", FAINT[[2, 0]])
    event = Example("a", "s", 0, 1.0, (main_episode(whole, RULES),), (whole,))
    dimmer = UNCHANGED.model_copy(
        update={"scale_probability": 1.0, "ln_dimmest": -4.0, "ln_brightest": -3.9}
    )
    assert augmented(event, dimmer, SHARP, RULES, np.random.default_rng(0)) == event.curves[0]


def test_no_augmentation_empties_a_curve():
    curve = detections([0.0, 1.0, 2.0], 3e3, 1000.0)
    everything = {"scale_probability": 1.0, "drop_probability": 1.0, "hard_cut_probability": 1.0}
    assert all(len(c) for c in varied(curve, **everything))
