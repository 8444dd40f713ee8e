"""An architecture brings all that a bundle needs: configuration, network, input and encoder."""

import numpy as np
import pytest

from broker_classifier.light_curve import CurveBatch, LightCurve
from broker_classifier.light_curve.selection import Selection, select
from broker_classifier.model.architectures import ARCHITECTURES, implied_config
from broker_classifier.model.classify import classify
from broker_classifier.model.encoder import Encoded
from broker_classifier.training.fit.write_bundle import made_up_curve
from tests.bundles import CLASSES, SIZES, small_bundle

CURVE = made_up_curve(3, Selection())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_input_is_built_as_its_names_times_and_sizes_say(architecture):
    model_input = ARCHITECTURES[architecture].input()
    curves = [LightCurve(CURVE.points[:n]) for n in (1, 4)]
    rows = model_input.build(CurveBatch.of(curves), "gr")
    config = implied_config(architecture, "gr", CLASSES, model_input)
    assert rows.dtype == np.float32
    assert rows.shape[2] == len(model_input.channel_names("gr")) == config["n_channels"]
    assert rows.shape[1] == len(model_input.row_mjd(curves[1].mjd))
    assert config.get("length", rows.shape[1]) == rows.shape[1]


def test_an_unknown_architecture_is_refused_with_those_that_there_are():
    model_input = ARCHITECTURES["gru"].input()
    with pytest.raises(ValueError, match=r"'gruu' is unknown, not in \['attentive_gru', 'blend'"):
        implied_config("gruu", "gr", CLASSES, model_input)


class CountingEncoder:
    """Logits that are the numbers of points, whatever the network."""

    hears_silence = False

    def encode(self, batch, encoder_states=None, silence_days=None):
        logits = np.repeat(batch.lengths[:, None], len(CLASSES), axis=1).astype(np.float32)
        return Encoded(logits * [1, 0, 0], None, [b"kept"] * len(batch))


def test_a_bundle_answers_by_the_encoder_that_its_architecture_brings(tmp_path, monkeypatch):
    entry = ARCHITECTURES["gru"]._replace(open_encoder=lambda parts: CountingEncoder())
    monkeypatch.setitem(ARCHITECTURES, "counting", entry)
    monkeypatch.setitem(SIZES, "counting", SIZES["gru"])
    bundle = small_bundle(tmp_path, architecture="counting")
    (answer,) = classify([CURVE], bundle)
    likelihoods = np.exp([len(select(CURVE, bundle.selection).index), 0.0, 0.0])
    np.testing.assert_allclose(answer.probabilities, likelihoods / likelihoods.sum(), rtol=1e-6)
    assert answer.encoder_state == b"kept"
