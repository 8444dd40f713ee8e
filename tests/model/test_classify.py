import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from broker_classifier.light_curve import EMPTY, CurveBatch, Kind, LightCurve, light_curve
from broker_classifier.model.bundle import probabilities_of
from broker_classifier.model.classify import Classification, classify
from broker_classifier.model.prior import ClassPrior
from tests.bundles import small_bundle
from tests.curves import detections, light_curves


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("bundle"))


def classified(curve, bundle):
    (answer,) = classify([curve], bundle)
    assert answer is not None
    return answer


def assert_same(answer, expected):
    if answer is None or expected is None:
        assert answer is expected
        return
    np.testing.assert_allclose(answer.probabilities, expected.probabilities, atol=1e-5)
    np.testing.assert_allclose(answer.attention, expected.attention, atol=1e-5)
    assert answer.used.tolist() == expected.used.tolist()
    assert answer.rejected == expected.rejected


quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@quick
@given(st.lists(light_curves(), max_size=8))
def test_a_batch_gives_what_each_curve_gives_alone(bundle, curves):
    for curve, answer in zip(curves, classify(curves, bundle), strict=True):
        assert_same(answer, classify([curve], bundle)[0])


@quick
@given(light_curves())
def test_the_batched_path_agrees_with_the_plain_one(bundle, curve):
    answer, plain = classify([curve], bundle)[0], probabilities_of(curve, bundle)
    assert (answer is None) == (plain is None)
    if answer is not None and plain is not None:
        np.testing.assert_allclose(answer.probabilities, plain, atol=1e-5)


@quick
@given(light_curves(usable_only=True), st.randoms())
def test_the_order_of_arrival_does_not_matter(bundle, curve, random):
    pieces = [LightCurve(curve.points[i : i + 1]) for i in range(len(curve))]
    random.shuffle(pieces)
    assert_same(*classify([curve, EMPTY.merge(*pieces)], bundle))


@quick
@given(light_curves(usable_only=True))
def test_later_points_do_not_change_an_earlier_answer(bundle, curve):
    now = curve.until(curve.mjd[len(curve) // 2])
    later = LightCurve(curve.points[: len(now)])
    assert_same(*classify([now, later], bundle))


@quick
@given(light_curves(usable_only=True))
def test_probabilities_and_attention_sum_to_one(bundle, curve):
    answer = classified(curve, bundle)
    assert answer.probabilities.dtype == np.float64
    assert answer.probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert answer.attention.sum() == pytest.approx(1, abs=1e-12)
    assert answer.attention.shape == answer.used.shape


def test_an_answer_names_its_probabilities_and_says_how_much_it_knows():
    prior = ClassPrior(("SNIa", "SNII"), np.array([0.75, 0.25]))
    answer = Classification(prior, np.array([0.5, 0.5]), np.arange(1), None, np.zeros(1, np.uint8))
    assert answer.by_class == {"SNIa": 0.5, "SNII": 0.5}
    assert answer.information_bits == pytest.approx(0.5 * np.log2(2 / 3) + 0.5 * np.log2(2))
    np.testing.assert_allclose(answer.probabilities_equal_prior, [0.25, 0.75])


@quick
@given(light_curves(usable_only=True))
def test_every_answer_knows_the_classes_and_the_prior_of_its_bundle(bundle, curve):
    answer = classified(curve, bundle)
    prior = bundle.description.calibration.prior
    assert list(answer.by_class) == list(bundle.classes)
    assert list(answer.by_class.values()) == answer.probabilities.tolist()
    expected = entropy(answer.probabilities, prior, base=2)
    assert answer.information_bits == pytest.approx(expected, abs=1e-9)


def test_curves_without_a_usable_point_are_not_classified(bundle):
    only_limits = light_curve([1.0, 2.0], np.nan, 100.0, "gr", Kind.UPPER_LIMIT)
    assert classify([EMPTY, only_limits], bundle) == [None, None]


def test_nothing_gives_nothing(bundle):
    assert classify([], bundle) == []


def test_an_unusable_newest_point_leaves_the_classification_standing(bundle):
    curve = detections([1.0, 3.0])
    longer = curve.merge(light_curve([5.0], [-9000.0], 100.0, "r"))
    before, after = classified(curve, bundle), classified(longer, bundle)
    np.testing.assert_allclose(before.probabilities, after.probabilities, atol=1e-6)
    assert after.rejected == ("", "", "negative")


def test_one_band_is_enough(bundle):
    for band in (1, 2):
        answer = classified(detections([1.0, 4.0], band=[band, band]), bundle)
        assert np.isfinite(answer.probabilities).all()


def test_the_attention_is_the_softmax_of_the_energies(bundle):
    curve = detections([1.0, 2.0, 6.0])
    rows = bundle.description.input.build(CurveBatch.of([curve]), ("g", "r"))
    with torch.inference_mode():
        energies = bundle.network(torch.from_numpy(rows))[1][0]
    answer = classified(curve, bundle)
    np.testing.assert_allclose(answer.attention, torch.softmax(energies, 0).numpy(), atol=1e-6)


@quick
@given(light_curves(usable_only=True), st.randoms())
def test_taking_up_a_memory_gives_what_a_replay_gives(bundle, curve, random):
    encoder_state = b""
    for mjd in sorted(random.sample(curve.mjd.tolist(), min(4, len(curve)))):
        now = curve.until(mjd)
        (answer,), (replayed,) = classify([now], bundle, [encoder_state]), classify([now], bundle)
        assert_same(answer, replayed)
        encoder_state = answer.encoder_state if answer else b""


@quick
@given(light_curves(usable_only=True), light_curves(usable_only=True))
def test_a_memory_of_other_points_changes_nothing(bundle, curve, other):
    for encoder_state in (classified(other, bundle).encoder_state, b"x" * 40):
        (answer,) = classify([curve], bundle, [encoder_state])
        (expected,) = classify([curve], bundle)
        assert answer is not None
        assert expected is not None
        if other != curve:
            np.testing.assert_allclose(answer.probabilities, expected.probabilities, atol=1e-5)
            assert answer.used.tolist() == expected.used.tolist()
