import dataclasses
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from broker_classifier.errors import ConfigError, DataError
from broker_classifier.light_curve import Kind, light_curve
from broker_classifier.light_curve.rejections import REJECTIONS
from broker_classifier.light_curve.selection_rules import REASONS
from broker_classifier.model.band_colours import BAND_COLOURS
from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.model.classify import classify
from broker_classifier.training.explain import explain
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.explanation import explanation_of
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.prefix_logits import prefix_logits
from broker_classifier.training.report.plots.examples import middling_examples
from broker_classifier.training.report.plots.explanation import explanation_figure
from broker_classifier.training.report.plots.light_curve import span
from tests.bundles import small_bundle
from tests.curves import detections

MJD = 59000.2 + np.array([0.0, 3.0, 3.1, 8.0, 15.0, 22.0])
BANDS_USED = "rrggrg"


def flare():
    """Six detections after two upper limits, and a negative one among them."""
    flux = [np.nan, np.nan, 2e4, 4e4, 5e4, 6e4, 3e4, 2e4, -3e4]
    mjd = [58990.0, 58995.0, *MJD, 59010.5]
    kind = [Kind.UPPER_LIMIT] * 2 + [Kind.DETECTION] * 7
    return light_curve(mjd, flux, 2e3, f"gr{BANDS_USED}g", kind)


@pytest.fixture(scope="module")
def streaming(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("streaming"), seed=4)


@pytest.fixture(scope="module")
def of_grid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    return {
        name: small_bundle(folder / name, architecture=name, seed=4)
        for name in ("attentive_gru", "fcn")
    }


def test_there_is_an_answer_after_every_point_that_was_used(streaming):
    explained = explanation_of("x", flare(), streaming)
    description, used = streaming.description, explained.used
    settings = description.selection, description.input
    (logits,) = prefix_logits(streaming.network, [used], *settings)
    expected = calibrated_probabilities(
        logits, np.arange(1, 7), used.mjd - used.mjd[0], description.calibration
    )
    assert used.mjd.tolist() == explained.mjd.tolist() == MJD.tolist()
    np.testing.assert_allclose(explained.probabilities, expected, atol=1e-5)


def test_the_last_answer_is_what_classify_says(streaming, of_grid):
    for bundle in (streaming, *of_grid.values()):
        (answer,) = classify([flare()], bundle)
        explained = explanation_of("x", flare(), bundle)
        np.testing.assert_allclose(explained.probabilities[-1], answer.probabilities, atol=1e-6)
        assert explained.top_class == bundle.classes[answer.probabilities.argmax()]


def test_an_answer_asked_for_later_is_the_last_one(tmp_path):
    trees = small_bundle(tmp_path, architecture="boosted_trees", seed=4)
    asked = explanation_of("x", flare(), trees, MJD[-1] + 30.0)
    plain = explanation_of("x", flare(), trees)
    assert asked.mjd.tolist() == [*MJD, MJD[-1] + 30.0]
    np.testing.assert_array_equal(asked.probabilities[-1], asked.answer.probabilities)
    np.testing.assert_array_equal(asked.probabilities[:-1], plain.probabilities)
    assert explanation_figure(asked).axes


def test_an_answer_asked_for_earlier_knows_no_later_point(streaming):
    explained = explanation_of("x", flare(), streaming, MJD[2])
    assert explained.used.mjd.tolist() == MJD[:3].tolist()


def test_the_flux_that_a_grid_network_gets_is_interpolated_between_the_points(of_grid):
    explained = explanation_of("x", flare(), of_grid["fcn"])
    red = explained.used.band == 2
    unit = of_grid["fcn"].description.input.flux_unit_njy
    scaled = np.arcsinh(explained.used.psf_flux[red] / unit)
    expected = np.interp(explained.input_mjd, MJD[red], scaled)
    np.testing.assert_allclose(explained.inputs["flux_r"], expected, rtol=1e-5)


def test_a_light_curve_without_a_usable_point_is_refused_by_what_it_has(streaming):
    curve = light_curve([1.0, 2.0], [np.nan, 5.0], 1.0, "gy", [Kind.UPPER_LIMIT, Kind.DETECTION])
    why = "the light curve has 2 points: 1 upper limit, 1 in other bands"
    with pytest.raises(DataError, match=why):
        explanation_of("x", curve, streaming)


def test_the_picture_shows_the_attention_of_every_point(streaming, of_grid):
    for bundle in (streaming, of_grid["attentive_gru"]):
        explained = explanation_of("x", flare(), bundle)
        bars = explanation_figure(explained).axes[1].collections
        heights = {s[1][0]: s[1][1] for bar in bars for s in bar.get_segments()}
        days = explained.used.mjd - MJD[0]
        assert heights == pytest.approx(dict(zip(days, explained.answer.attention, strict=True)))
        assert sum(heights.values()) == pytest.approx(1.0)


def test_every_class_that_can_be_seen_is_in_the_legend(streaming):
    explained = explanation_of("x", flare(), streaming)
    shares = np.array([0.004, 0.02, 0.976] + [0.0] * (len(streaming.classes) - 3))
    steps = np.tile(shares, (len(explained.mjd), 1))
    figure = explanation_figure(dataclasses.replace(explained, probabilities=steps))
    named = {text.get_text() for text in figure.axes[2].get_legend().get_texts()}
    assert named == set(streaming.classes[1:3])


def test_upper_limits_are_hollow_triangles_in_the_colour_of_their_band(streaming):
    points = explanation_figure(explanation_of("x", flare(), streaming)).axes[0]
    drawn = {line.get_label(): line for line in points.lines}
    for letter, day in (("g", -10.2), ("r", -5.2)):
        limit = drawn[f"{letter}, upper limit"]
        assert limit.get_xydata() == pytest.approx(np.array([[day, 10.0]]))  # 5 x 2000 nJy
        assert (limit.get_marker(), limit.get_markerfacecolor()) == ("v", "none")
        assert limit.get_color() == BAND_COLOURS[letter]
    named = [text.get_text() for text in points.get_legend().get_texts()]
    assert named == ["g", "g, not used", "g, upper limit", "r", "r, upper limit"]


def test_the_time_axis_fits_the_points(streaming):
    curve = light_curve([59000.0], 5e4, 2e3, "r")
    assert span(explanation_of("x", curve, streaming)) == (-0.5, 0.5)
    low, high = span(explanation_of("x", flare(), streaming))
    assert (low, high) == pytest.approx((-10.2 - 0.05 * 32.2, 22.0 + 0.05 * 32.2))


def test_the_title_says_why_points_were_not_used_and_how_many_are_out_of_view(streaming):
    title = explanation_figure(explanation_of("x", flare(), streaming)).get_suptitle()
    assert "from 6 points in r, g over 22.0 days" in title
    assert "Not used: 2 upper limits, 1 of negative flux (1 not in view)." in title


def test_a_long_title_stays_within_the_picture(streaming):
    n = len(REASONS) - 1
    curve = light_curve(59000.0 + np.arange(n + 1), 5e4, 2e3, "r")
    explained = explanation_of("x", curve, streaming)
    codes = dataclasses.replace(explained.answer, reason=np.arange(n + 1, dtype=np.uint8))
    title = explanation_figure(dataclasses.replace(explained, answer=codes)).get_suptitle()
    assert max(map(len, title.split("\n")[1:])) <= 90
    line = title.replace("\n", " ")
    assert all(f"1 {REJECTIONS[reason].label}" in line for reason in REASONS[1:])


def test_the_input_is_named_by_its_scaling(streaming, of_grid):
    for bundle in (streaming, of_grid["fcn"]):
        scale = bundle.description.input
        explained = explanation_of("x", flare(), bundle)
        label = explanation_figure(explained, with_input=True).axes[2].get_ylabel()
        microjy = getattr(scale, "flux_scale_njy", None) or scale.flux_unit_njy
        number = float(re.search(r"f / (\S+) µJy", label)[1])
        assert number == pytest.approx(microjy / 1000, rel=5e-3)
        assert "arcsinh" in label


def test_a_network_without_attention_is_drawn_without(of_grid):
    figure = explanation_figure(explanation_of("x", flare(), of_grid["fcn"]))
    assert [text.get_text() for text in figure.axes[1].texts] == ["this network has none"]


def test_the_picture_is_written_and_summed_up(streaming, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bundle"
    small_bundle(folder, seed=4)
    said = explain("SN 2020/x", flare(), folder)
    assert said.endswith("from 6 points in r, g over 22.0 days, drawn in SN_2020_x.png")
    assert (tmp_path / "SN_2020_x.png").read_bytes().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


def test_a_file_that_cannot_be_written_is_named(streaming, tmp_path):
    small_bundle(tmp_path / "bundle", seed=4)
    with pytest.raises(ConfigError, match=r"why\.nothing is no .png or .pdf or .svg file"):
        explain("x", flare(), tmp_path / "bundle", tmp_path / "why.nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"why\.png cannot be written"):
        explain("x", flare(), tmp_path / "bundle", tmp_path / "file" / "why.png")


def test_a_folder_gets_a_picture_named_by_the_object_and_a_known_label_is_told(tmp_path):
    small_bundle(tmp_path / "bundle", seed=4)
    said = explain("SN1", flare(), tmp_path / "bundle", tmp_path, label="TDE")
    assert said.startswith("SN1, labelled TDE: ")
    assert (tmp_path / "SN1.png").exists()


def test_the_example_of_a_class_is_the_one_in_its_middle():
    examples = tuple(Example(str(i), "s", 0, 1.0, (detections([1.0]),)) for i in range(6))
    own = [0.9, 0.1, 0.5, 0.3, 0.7]  # the sixth is of the other class
    probabilities = np.array([[p, 1 - p] for p in (*own, 0.2)])
    even = np.full((6, 2), 0.5)
    full = Predictions(examples, np.array([0] * 5 + [1]), probabilities, even)
    middling = middling_examples(full, ("SNIa", "SNII", "AGN"))
    assert {name: e.canonical_id for name, e in middling.items()} == {"SNIa": "2", "SNII": "5"}
    fewer = Predictions(examples[1:], np.array([0] * 4 + [1]), probabilities[1:], even[1:])
    assert middling_examples(fewer, ("SNIa",))["SNIa"].canonical_id == "3"  # .1 .3 .5 .7


@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        ("boosted_trees", ", asked 20.5 days later"),
        ("streaming_attentive_gru", ", asked 20.5 days later, which the bundle does not hear"),
    ],
)
def test_an_answer_asked_for_later_says_so_and_whether_that_was_heard(tmp_path, architecture, said):
    bundle = small_bundle(tmp_path, architecture=architecture)
    at_last = explanation_of("x", flare(), bundle)
    later = explanation_of("x", flare(), bundle, float(MJD[-1]) + 20.5)
    assert not at_last.sentence().endswith("later")
    assert later.sentence().endswith(said)
