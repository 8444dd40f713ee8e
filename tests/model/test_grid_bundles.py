"""Bundles of the poster's grid networks: checked as any other, and served on the same street."""

import json
import threading

import numpy as np
import pytest
import torch

from broker_classifier.errors import BundleError
from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.bundle import load_bundle
from broker_classifier.model.grid_encoder import point_attention
from broker_classifier.service.loop import run
from broker_classifier.service.served_bundles import ServedBundle
from broker_classifier.streams.classification import parse
from broker_classifier.training.fit.write_bundle import made_up_curve
from broker_classifier.training.judge.prefix_logits import network_input
from tests.bundles import GRID_ARCHITECTURES, small_bundle
from tests.streets import ListSource, Topic, street
from tests.ztf_packets import flare

N_ALERTS = 8


@pytest.fixture(scope="module", params=GRID_ARCHITECTURES)
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / request.param
    small_bundle(folder, architecture=request.param)
    return folder


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder)


@pytest.fixture(scope="module")
def messages(bundle):
    opened = street(
        ListSource(Topic(flare("ZTF1", n=N_ALERTS)), 3),
        bundles={"ztf": [ServedBundle(bundle, "classifications")]},
    )
    run(opened, threading.Event())
    return [parse(message.value) for message in opened.sink.sent]


def refused(folder, tmp_path, change):
    text = json.loads((folder / "bundle.json").read_text())
    change(text)
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "bundle.json").write_text(json.dumps(text))
    with pytest.raises(BundleError) as error:
        load_bundle(tmp_path)
    return str(error.value)


def test_every_alert_is_answered_from_the_points_known_then(messages, bundle):
    assert [m.n_points_used for m in messages] == list(range(1, N_ALERTS + 1))
    assert len({m.probability for m in messages}) == N_ALERTS
    assert {m.model.hash for m in messages} == {bundle.hash}


def test_a_network_without_attention_publishes_null_for_every_point(messages, bundle):
    has_attention = bundle.description.architecture == "attentive_gru"
    for message in messages:
        weights = [p.attention for p in message.light_curve if p.rejected is None]
        assert len(weights) == message.n_points_used
        assert [w is not None for w in weights] == [has_attention] * len(weights)
        if has_attention:
            assert sum(w or 0.0 for w in weights) == pytest.approx(1.0, abs=1e-5)


def test_a_grid_of_another_length_or_of_no_grid_network_is_refused(folder, tmp_path, bundle):
    change = {"length": 64} if bundle.description.config.get("length") else {"has_age": False}
    complaint = refused(folder, tmp_path, lambda d: d["normalisation"].update(change))
    assert "config.length" in complaint or "config.n_channels" in complaint
    rows = {"flux_scale_njy": 20000.0}
    assert "takes length" in refused(folder, tmp_path, lambda d: d.update(normalisation=rows))
    complaint = refused(folder, tmp_path, lambda d: d["normalisation"].update(cells=3))
    assert "cells" in complaint


def test_the_attention_of_points_is_that_of_the_cells_averaged_over_hops(tmp_path):
    bundle = small_bundle(tmp_path, architecture="attentive_gru")
    curve = made_up_curve(3, bundle.selection)
    inputs = network_input([curve], bundle.selection, bundle.description.input)
    with torch.inference_mode():
        of_cells = bundle.network(inputs)[1][0].double().numpy()  # (hops, L)
    attention = bundle.encoder.encode(CurveBatch.of([curve])).attention
    assert len(of_cells) == 2
    expected = (
        point_attention(of_cells[0], curve.mjd) + point_attention(of_cells[1], curve.mjd)
    ) / 2
    np.testing.assert_allclose(attention, expected, atol=1e-6)
