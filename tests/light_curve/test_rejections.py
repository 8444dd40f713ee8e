from broker_classifier.light_curve.rejections import REJECTIONS
from broker_classifier.light_curve.selection_rules import REASONS


def test_every_reason_has_words_for_people():
    assert list(REJECTIONS) == [reason for reason in REASONS if reason]
    labels = [rejection.label for rejection in REJECTIONS.values()]
    assert len(set(labels)) == len(labels)
    assert not any("_" in label for label in labels)
