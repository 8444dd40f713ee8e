"""Which answers are queued for Lasair, and that a batch is entered whole or not at all."""

import pytest

from broker_classifier.config.lasair import AnnotateSettings, AnnotatorSettings
from broker_classifier.lasair.intake import Intake
from broker_classifier.lasair.sending.outbox import Outbox
from tests.lasair.messages import value

OBJECT = "ZTF26aaaaaaa"


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox.sqlite")


@pytest.fixture
def intake(outbox):
    annotators = {"ztf": AnnotatorSettings(topic="mytopic")}
    return Intake(outbox, annotators, AnnotateSettings(), clock=lambda: 1000.0)


def enter(intake, *values):
    return dict(intake.enter(values, "cluster", "topic", {0: len(values)}))


def sent(intake):
    """Let Lasair accept all that waits; return its annotations."""
    items = intake.outbox.due("ztf", 1e12, 1000)
    intake.outbox.accepted("ztf", items, 1000.0)
    return [item.annotation for item in items]


def test_the_first_answer_of_an_object_is_queued(intake):
    assert enter(intake, value()) == {"queued": 1}
    [annotation] = sent(intake)
    assert (annotation["objectId"], annotation["classification"]) == (OBJECT, "SNIa")


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (("SNIa", 0.8), ("SNIa", 0.8), "unchanged"),
        (("SNIa", 0.8), ("SNIa", 0.89), "unchanged"),
        (("SNIa", 0.8), ("SNIa", 0.91), "queued"),
        (("SNIa", 0.52), ("SNII", 0.52), "queued"),
        (("SNIa", 0.8), ("NotClassified", 1.0), "queued"),
    ],
)
def test_an_object_is_sent_again_when_its_class_or_a_probability_moves(
    intake, before, now, outcome
):
    enter(intake, value(*before))
    sent(intake)
    assert enter(intake, value(*now, days=1.0)) == {outcome: 1}


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (0.2, 0.4, "unchanged"),
        (0.4, 0.5, "queued"),
        (None, 0.6, "queued"),
        (1.2, 0.9, "unchanged"),
        (1.2, None, "unchanged"),
    ],
)
def test_an_object_is_sent_again_when_its_information_passes_a_level(intake, before, now, outcome):
    enter(intake, value(bits=before))
    sent(intake)
    assert enter(intake, value(days=1.0, bits=now)) == {outcome: 1}


def test_small_moves_add_up_to_what_lasair_was_last_told(intake):
    enter(intake, value(probability=0.70))
    sent(intake)
    assert enter(intake, value(probability=0.77, days=1.0)) == {"unchanged": 1}
    assert enter(intake, value(probability=0.84, days=2.0)) == {"queued": 1}


def test_only_the_latest_answer_of_an_object_waits(intake, outbox):
    outcomes = enter(
        intake, value("SNII"), value("SNIa", days=1.0), value("SNIa", days=2.0, bits=2.5)
    )
    assert outcomes == {"queued": 1, "coalesced": 2}
    [item] = outbox.due("ztf", 1e12, 10)
    assert (item.annotation["classification"], item.bits) == ("SNIa", 2.5)
    assert item.annotation["classdict"]["previous_class"] == "snii"


def test_messages_that_come_again_are_not_queued_again(intake):
    values = [value("SNII"), value("SNIa", days=1.0)]
    enter(intake, *values)
    sent(intake)
    assert enter(intake, *values) == {"not_newer": 2}
    assert sent(intake) == []


def test_what_is_no_classification_is_counted_and_skipped(intake):
    broken = [b"", b"{", b"[]", value(mjd=float("nan")), value(mjd=1e9), value(bits="many")]
    assert enter(intake, *broken, value()) == {"unreadable": len(broken), "queued": 1}


def test_another_survey_or_bundle_is_not_asked_for(intake, outbox):
    only = AnnotatorSettings(topic="mytopic", model="ztf-kilonovae")
    assert enter(intake, value(survey="lsst", object_id="3")) == {"not_asked_for": 1}
    other = Intake(outbox, {"ztf": only}, AnnotateSettings())
    assert enter(other, value()) == {"not_asked_for": 1}


def test_an_object_that_lasair_cannot_have_is_not_queued(intake):
    assert enter(intake, value(object_id="Robert'); --")) == {"no_object_of_lasair": 1}


def test_messages_of_schema_version_1_are_read(intake):
    old = value(schema_version=1)
    assert enter(intake, old) == {"queued": 1}
    assert "bits" in sent(intake)[0]["classdict"]


def test_a_batch_and_its_offsets_are_entered_together_or_not_at_all(intake, outbox, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Outbox, "keep_offsets", broken)
    with pytest.raises(KeyboardInterrupt):
        enter(intake, value())
    monkeypatch.undo()
    assert outbox.due("ztf", 1e12, 10) == []
    assert outbox.offsets("cluster", "topic") == {}
    enter(intake, value())
    assert outbox.offsets("cluster", "topic") == {0: 1}
    assert outbox.offsets("another cluster", "topic") == {}


def test_old_objects_are_forgotten_and_what_waits_is_not(intake, outbox):
    enter(intake, value(), value(object_id="ZTF26bbbbbbb"))
    outbox.accepted("ztf", outbox.items("ztf", [OBJECT]), 1000.0)
    outbox.forget(2000.0)
    assert outbox.record("ztf", OBJECT).history is None
    assert outbox.record("ztf", "ZTF26bbbbbbb").history is not None
