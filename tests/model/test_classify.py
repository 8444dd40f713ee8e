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
    (found,) = classify([curve], bundle)
    assert found is not None
    return found


def assert_same(one, other):
    if one is None or other is None:
        assert one is other
        return
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
    np.testing.assert_allclose(one.attention, other.attention, atol=1e-5)
    assert one.used.tolist() == other.used.tolist()
    assert one.rejected == other.rejected


quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@quick
@given(st.lists(light_curves(), max_size=8))
def test_a_batch_gives_what_each_curve_gives_alone(bundle, curves):
    for curve, found in zip(curves, classify(curves, bundle), strict=True):
        assert_same(found, classify([curve], bundle)[0])


@quick
@given(light_curves())
def test_the_batched_path_agrees_with_the_plain_one(bundle, curve):
    found, plain = classify([curve], bundle)[0], probabilities_of(curve, bundle)
    assert (found is None) == (plain is None)
    if found is not None and plain is not None:
        np.testing.assert_allclose(found.probabilities, plain, atol=1e-5)


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
    found = classified(curve, bundle)
    assert found.probabilities.dtype == np.float64
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert found.attention.sum() == pytest.approx(1, abs=1e-12)
    assert found.attention.shape == found.used.shape


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
        found = classified(detections([1.0, 4.0], band=[band, band]), bundle)
        assert np.isfinite(found.probabilities).all()


def test_the_attention_is_the_softmax_of_the_energies(bundle):
    curve = detections([1.0, 2.0, 6.0])
    rows = bundle.description.input.build(CurveBatch.of([curve]), ("g", "r"))
    with torch.inference_mode():
        energies = bundle.network(torch.from_numpy(rows))[1][0]
    found = classified(curve, bundle)
    np.testing.assert_allclose(found.attention, torch.softmax(energies, 0).numpy(), atol=1e-6)


@quick
@given(light_curves(usable_only=True), st.randoms())
def test_taking_up_a_memory_gives_what_a_replay_gives(bundle, curve, random):
    encoder_state = b""
    for mjd in sorted(random.sample(curve.mjd.tolist(), min(4, len(curve)))):
        now = curve.until(mjd)
        (found,), (replayed,) = classify([now], bundle, [encoder_state]), classify([now], bundle)
        assert_same(found, replayed)
        encoder_state = found.encoder_state if found else b""


@quick
@given(light_curves(usable_only=True), light_curves(usable_only=True))
def test_a_memory_of_other_points_changes_nothing(bundle, curve, other):
    for encoder_state in (classified(other, bundle).encoder_state, b"x" * 40):
        (found,) = classify([curve], bundle, [encoder_state])
        (expected,) = classify([curve], bundle)
        assert found is not None
        assert expected is not None
        if other != curve:
            np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-5)
            assert found.used.tolist() == expected.used.tolist()
