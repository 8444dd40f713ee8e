"""The shipped bundle takes simulated objects for what they are, about as often as real ones."""

from collections import Counter

import numpy as np
import pytest

from broker_classifier.demo.simulate.night import simulate_night
from broker_classifier.light_curve import EMPTY, LightCurve
from broker_classifier.model.classify import classify
from tests.streets import BUNDLE
from tests.ztf_packets import decode


@pytest.fixture(scope="module")
def right() -> Counter[tuple[str, bool]]:
    """Of 120 objects with all their alerts: how many of each class end on it, and how many not."""
    curves: dict[tuple[str, str], LightCurve] = {}
    for packet in simulate_night(120, seed=21):
        before = curves.setdefault((packet.object_id, packet.label), EMPTY)
        curve = before.merge(decode(packet.message).curve)
        curves[packet.object_id, packet.label] = curve
    answers = classify(list(curves.values()), BUNDLE)
    top = [BUNDLE.classes[np.argmax(a.probabilities)] if a else "" for a in answers]
    return Counter((label, label == name) for (_, label), name in zip(curves, top, strict=True))


# Real test objects with 20 detections: SNIa .86, SNII .69, AGN .85 (models/ztf-transients).
@pytest.mark.parametrize("label", ["SNIa", "SNII", "AGN"])
def test_most_simulated_objects_of_a_common_class_end_on_it(right, label):
    assert right[label, True] / (right[label, True] + right[label, False]) > 0.55
