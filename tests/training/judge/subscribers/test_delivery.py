from types import SimpleNamespace

import numpy as np
import pytest

from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import FULL, after_days, after_detections
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.subscribers.delivery import BITS, subscriber_figures
from broker_classifier.training.judge.subscribers.stream_shares import stream_shares
from broker_classifier.training.report.card_subscribers import subscribers_section

CLASSES = ("SNIa", "SNII", "TDE")
PRIOR = (0.6, 0.3, 0.1)
BUNDLE = SimpleNamespace(classes=CLASSES)


def objects(targets):
    return tuple(Example(str(i), "s", k, 1.0, (), object_id=str(i)) for i, k in enumerate(targets))


def answers(examples, probabilities):
    target = np.array([example.target for example in examples])
    values = np.array(probabilities, dtype=float)
    return Predictions(examples, target, values, np.broadcast_to(PRIOR, values.shape))


def at(figures, probability, bits):
    for pair in figures["pairs"]:
        if (pair["probability"], pair["bits"]) == (probability, bits):
            return pair
    raise KeyError(probability, bits)


def test_precision_weighs_each_class_by_its_share_of_the_stream():
    examples = objects([0, 0, 0, 0, 2, 2])
    likely, unlikely = (0.1, 0.0, 0.9), (0.9, 0.1, 0.0)
    values = [likely, unlikely, unlikely, unlikely, likely, unlikely]
    figures = subscriber_figures({FULL: answers(examples, values)}, BUNDLE)
    supernova, _, disruption = stream_shares(CLASSES)
    expected = 0.5 * disruption / (0.5 * disruption + 0.25 * supernova)
    pair = at(figures, 0.8, 1.0)
    assert pair["precision"]["TDE"] == pytest.approx(expected, abs=1e-4)
    assert pair["recall"]["TDE"] == 0.5
    low, high = pair["precision_95"]["TDE"]
    assert low < expected < high


def test_a_class_without_an_object_has_no_figures_and_no_share():
    figures = subscriber_figures({FULL: answers(objects([0, 2]), [PRIOR, PRIOR])}, BUNDLE)
    assert figures["shares"]["SNII"] == 0.0
    assert sum(figures["shares"].values()) == pytest.approx(1.0, abs=1e-3)
    pair = at(figures, 0.1, 0.0)
    assert (pair["precision"]["SNII"], pair["recall"]["SNII"]) == (None, None)
    assert pair["recall_95"]["SNII"] == [None, None]


def test_the_prior_itself_is_delivered_only_to_who_asks_for_no_bits():
    figures = subscriber_figures({FULL: answers(objects([0, 0]), [PRIOR, PRIOR])}, BUNDLE)
    delivered = [at(figures, 0.5, bits)["recall"]["SNIa"] for bits in BITS]
    assert delivered == [1.0, 0.0, 0.0, 0.0]
    assert at(figures, 0.5, 0.25)["precision"]["SNIa"] is None


def test_an_object_is_delivered_by_any_of_its_answers_after_a_detection():
    examples = objects([0, 2])
    late = answers(examples, [(0.95, 0.0, 0.05), PRIOR])
    early = answers(examples[1:], [(0.05, 0.0, 0.95)])
    figures = subscriber_figures({after_detections(2): early, FULL: late}, BUNDLE)
    assert at(figures, 0.8, 1.0)["recall"]["TDE"] == 1.0
    by_day = subscriber_figures({after_days(2): early, FULL: late}, BUNDLE)
    assert at(by_day, 0.8, 1.0)["recall"]["TDE"] == 0.0


def test_classes_of_unknown_share_have_no_figures_and_no_section():
    bundle = SimpleNamespace(classes=("SNIa", "SNII", "Mira"))
    assert subscriber_figures({FULL: answers(objects([0]), [PRIOR])}, bundle) is None
    assert subscribers_section(None) == ""


def test_the_card_has_a_row_for_each_class_and_probability():
    values = [(0.9, 0.1, 0.0), (0.6, 0.4, 0.0)]
    section = subscribers_section(
        subscriber_figures({FULL: answers(objects([0, 1]), values)}, BUNDLE)
    )
    rows = [line for line in section.splitlines() if line.startswith(("| SNIa", "| SNII", "| TDE"))]
    assert len(rows) == 8
    assert (
        rows[3]
        == "| SNIa | ≥ 0.8 | 1.00 (1.00 to 1.00), 1.00 | 1.00 (1.00 to 1.00), 1.00 | - | - |"
    )
