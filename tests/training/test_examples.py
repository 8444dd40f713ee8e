import numpy as np

from broker_classifier.selection import Selection
from broker_classifier.training.alert_noise import AlertNoise
from broker_classifier.training.augment import augmented
from broker_classifier.training.examples import Example, main_episode, make_examples
from broker_classifier.training.homogenise import Homogenisation
from broker_classifier.training.objects import LabelledObject
from broker_classifier.training.recipe import Augmentation
from tests.curves import detections
from tests.training.noises import plain_noise

RULES, NOISE = Selection(), plain_noise()
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
        one = np.array([3e4])
        band = np.array([2])
        return LabelledObject(
            object_id, canonical_id, "AGN", "s", True, one * 0, one, one / 10, band
        )

    views = [view("a@1", "a"), view("a@2", "a"), view("b", "b")]
    rules = Homogenisation(alert_sources=("s",), noise=NOISE)
    found = make_examples(views, rules, RULES, ("SNIa", "AGN"))
    assert [(e.canonical_id, e.target, e.weight) for e in found] == [
        ("a", 1, 0.5),
        ("a", 1, 0.5),
        ("b", 1, 1.0),
    ]


def test_without_augmentation_a_curve_stays_as_it_is():
    curve = detections([0.0, 1.0, 5.0])
    assert all(c == curve for c in varied(curve))


def test_dimming_keeps_colours_and_loses_points_below_the_threshold():
    curve = detections(np.arange(30.0), np.geomspace(6e3, 1e6, 30), 1000.0)
    dimmed = varied(curve, scale_probability=1, ln_dimmest=-0.9, ln_brightest=-0.8)
    assert all(0 < len(c) < 30 for c in dimmed)
    assert all(c.psf_flux.max() < 0.6e6 for c in dimmed)


def test_the_hard_cut_leaves_only_five_sigma_points():
    curve = detections([0.0, 1.0, 2.0], [4e3, 5e3, 9e3], 1000.0)
    assert all(c.mjd.tolist() == [1.0, 2.0] for c in varied(curve, hard_cut_probability=1))


def test_no_augmentation_empties_a_curve():
    curve = detections([0.0, 1.0, 2.0], 3e3, 1000.0)
    everything = {"scale_probability": 1.0, "drop_probability": 1.0, "hard_cut_probability": 1.0}
    assert all(len(c) for c in varied(curve, **everything))
