"""One battery for every bundle under models/, and for one of every architecture (STYLE 19)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from broker_classifier.light_curve import EMPTY, CurveBatch, LightCurve, light_curve
from broker_classifier.light_curve.selection import select
from broker_classifier.model.bundle import load_bundle
from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.model.classify import classify
from broker_classifier.model.networks.streaming_attentive_gru import StreamingAttentiveGRU
from broker_classifier.training.fit.write_bundle import made_up_curve
from broker_classifier.training.judge.moments import Moments, bundle_logits, joined_moments
from tests.bundles import GRID_ARCHITECTURES, small_bundle

FOLDERS = sorted(path.parent for path in Path(__file__).parents[2].glob("models/*/bundle.json"))
UNSHIPPED = (*GRID_ARCHITECTURES, "boosted_trees", "blend")
SHIPPED = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def every_point(curves):
    return joined_moments(
        [
            Moments(np.full(len(curve), n), np.arange(1, len(curve) + 1), curve.mjd)
            for n, curve in enumerate(curves)
        ]
    )


@pytest.fixture(scope="module", params=[*(f.name for f in FOLDERS), *UNSHIPPED])
def folder(request, tmp_path_factory):
    if request.param in UNSHIPPED:
        made = tmp_path_factory.mktemp("bundles") / request.param
        small_bundle(made, architecture=request.param)
        return made
    return next(f for f in FOLDERS if f.name == request.param)


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder)


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def streaming_bundle(request):
    bundle = load_bundle(request.param)
    for part in (bundle, *bundle.members):
        if isinstance(part.network, StreamingAttentiveGRU):
            return part
    pytest.skip("it takes no steps")


@pytest.fixture(scope="module")
def curves(bundle):
    return [made_up_curve(seed, bundle.selection) for seed in range(100, 140)]


def classified(curves, bundle):
    answers = classify(curves, bundle)
    return [c for c in answers if c is not None]


def input_rows(curve, bundle):
    used = CurveBatch.of([curve]).take(select(curve, bundle.selection).index)
    return bundle.description.input.build(used, bundle.selection.bands)[0]


def probabilities(curves, bundle):
    return np.array([c.probabilities for c in classified(curves, bundle)])


def test_there_is_a_bundle():
    assert FOLDERS


def test_probabilities_are_a_distribution_over_the_classes(bundle, curves):
    rows = probabilities(curves, bundle)
    assert rows.shape == (len(curves), len(bundle.classes))
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-12)


def test_attention_is_a_distribution_over_the_used_points(bundle, curves):
    parts = [part.description.architecture for part in (bundle, *bundle.members)]
    has_attention = any(name.endswith("attentive_gru") for name in parts)
    for answer in classified(curves, bundle):
        assert (answer.attention is not None) == has_attention
        if not has_attention:
            continue
        assert len(answer.attention) == len(answer.used)
        assert answer.attention.sum() == pytest.approx(1, abs=1e-9)


def test_a_batch_gives_what_each_curve_gives_alone(bundle, curves):
    alone = np.concatenate([probabilities([c], bundle) for c in curves])
    np.testing.assert_allclose(probabilities(curves, bundle), alone, atol=1e-5)


def test_the_order_of_the_batch_does_not_matter(bundle, curves):
    backward = probabilities(curves[::-1], bundle)[::-1]
    np.testing.assert_allclose(probabilities(curves, bundle), backward, atol=1e-5)


def test_a_repeated_call_gives_the_same(bundle, curves):
    np.testing.assert_array_equal(probabilities(curves, bundle), probabilities(curves, bundle))


def test_the_order_of_arrival_does_not_matter(bundle, curves):
    for curve in curves[:5]:
        pieces = [LightCurve(curve.points[i : i + 1]) for i in range(len(curve))]
        both = probabilities([curve, EMPTY.merge(*reversed(pieces), *pieces)], bundle)
        np.testing.assert_allclose(both[0], both[1], atol=1e-5)


def test_a_step_per_point_agrees_with_the_replay(streaming_bundle):
    bundle = streaming_bundle
    for seed in range(100, 105):
        curve = made_up_curve(seed, bundle.selection)
        inputs = torch.from_numpy(input_rows(curve, bundle))[None]
        with torch.inference_mode():
            replay, _ = bundle.network(inputs)
            state = bundle.network.initial_state(1)
            for t in range(inputs.shape[1]):
                state, logits, _ = bundle.network.step(state, inputs[:, t])
                torch.testing.assert_close(logits, replay[:, t], atol=1e-5, rtol=1e-5)


def test_no_answer_looks_into_the_future(bundle, curves):
    for curve in curves[:5]:
        changed = curve.points.copy()
        changed["psf_flux"][len(curve) // 2 :] *= 0.1
        both = [curve, LightCurve(changed)]
        logits = bundle_logits(bundle, both, every_point(both)).reshape(2, len(curve), -1)
        n_same = len(curve) // 2
        np.testing.assert_allclose(logits[0, :n_same], logits[1, :n_same], rtol=1e-4, atol=1e-4)
        assert np.abs(logits[0, n_same:] - logits[1, n_same:]).max() > 1e-4


def test_what_is_judged_is_what_is_served(bundle, curves):
    """The logits of training and evaluation, and the answers of the service, are two ways."""
    several = [c for c in curves if len(select(c, bundle.selection).index) == len(c)][:8]
    moments = every_point(several)
    logits = bundle_logits(bundle, several, moments)
    settings = moments.n_points, moments.age_days(several, hears_silence=False)
    judged = calibrated_probabilities(logits, *settings, bundle.description.calibration)
    parts = zip(moments.curve, moments.n_points, strict=True)
    served = probabilities([LightCurve(several[i].points[:n]) for i, n in parts], bundle)
    np.testing.assert_allclose(judged, served, atol=1e-5)


def test_an_answer_at_the_last_point_is_the_plain_one(bundle, curves):
    for curve in curves[:5]:
        (plain,), (asked,) = (
            classify([curve], bundle),
            classify([curve], bundle, None, curve.mjd[-1]),
        )
        np.testing.assert_array_equal(plain.probabilities, asked.probabilities)


def test_an_earlier_answer_is_that_of_the_light_curve_until_then(bundle, curves):
    curve = max(curves, key=len)
    moment = float(curve.mjd[len(curve) // 2])
    (then,), (plain,) = (
        classify([curve], bundle, None, moment),
        classify([curve.until(moment)], bundle),
    )
    np.testing.assert_array_equal(then.probabilities, plain.probabilities)


def test_kept_states_change_no_answer(bundle, curves):
    earlier = [curve.until(curve.mjd[len(curve) // 2]) for curve in curves]
    states = [c.encoder_state for c in classified(earlier, bundle)]
    np.testing.assert_allclose(
        [c.probabilities for c in classify(curves, bundle, states)],
        probabilities(curves, bundle),
        atol=1e-5,
    )


def test_no_row_looks_into_the_future(streaming_bundle):
    bundle = streaming_bundle
    for seed in range(100, 105):
        curve = made_up_curve(seed, bundle.selection)
        rows = input_rows(curve, bundle)
        for i, point in enumerate(select(curve, bundle.selection).index):
            then = input_rows(curve.until(curve.mjd[point]), bundle)
            np.testing.assert_array_equal(then[: i + 1], rows[: i + 1])


def test_a_curve_without_usable_points_gives_nothing(bundle):
    assert classify([EMPTY], bundle) == [None]


def test_one_band_is_enough(bundle):
    for letter in bundle.selection.bands:
        times = 59000 + np.arange(1, 11) * 3.0
        curve = light_curve(times, 3e4, 2e3, letter)
        assert np.isfinite(probabilities([curve], bundle)).all()


def test_extreme_fluxes_stay_finite(bundle):
    times = 59000 + np.arange(1, 5) * 3.0
    for flux in (1e-3, 1.0, 1e12):
        curve = light_curve(times, flux, flux / 5, bundle.selection.bands[0])
        assert np.isfinite(probabilities([curve], bundle)).all()


def test_the_date_does_not_matter(bundle, curves):
    points = curves[0].points.copy()
    points["mjd"] += 1024.0
    both = probabilities([curves[0], LightCurve(points)], bundle)
    np.testing.assert_allclose(both[0], both[1], atol=1e-5)


def test_loading_again_gives_an_equal_bundle(bundle, folder, curves):
    again = load_bundle(folder)
    assert again.hash == bundle.hash
    np.testing.assert_array_equal(probabilities(curves, bundle), probabilities(curves, again))


@SHIPPED
def test_the_card_and_its_figures_are_of_these_weights(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    bundle = load_bundle(folder)
    assert metrics["bundle"]["hash"] == bundle.hash
    assert (folder / "README.md").read_text().startswith(f"# {bundle.name} {bundle.version}")


@SHIPPED
def test_the_weights_are_small(folder):
    assert (folder / "weights.safetensors").stat().st_size < 5_000_000
