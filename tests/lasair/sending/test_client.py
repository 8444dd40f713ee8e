"""What Lasair's own client makes of what its server answers, against a server that answers so."""

import pytest
from pydantic import SecretStr

from broker_classifier.lasair.annotation.write_annotation import annotation
from broker_classifier.lasair.rules import Said
from broker_classifier.lasair.sending.budget import Budget
from broker_classifier.lasair.sending.client import LasairAnnotator, Outcome
from broker_classifier.lasair.sending.outbox import Outbox
from broker_classifier.lasair.sending.outbox_rows import Item
from broker_classifier.lasair.sending.sender import Sender
from tests.lasair.fake_lasair import FakeLasair, served
from tests.lasair.messages import answer, history_of

TOKEN = "a-secret-token-0123"


@pytest.fixture(params=["ztf", "lsst"])
def lasair(request, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = FakeLasair(request.param)
    server.add_annotator("mytopic", TOKEN)
    with served(server):
        yield server


@pytest.fixture
def annotator(lasair):
    return LasairAnnotator("mytopic", SecretStr(TOKEN), lasair.url, timeout_s=5.0)


def object_id(lasair, number):
    return f"ZTF26{number:07d}" if lasair.survey == "ztf" else f"31363792126712{number:04d}"


def written(lasair, *numbers, topic="mytopic", top_class="SNIa"):
    answers = [
        answer(top_class, object_id=object_id(lasair, n), survey=lasair.survey) for n in numbers
    ]
    return [annotation(item, history_of(item), lasair.survey, topic) for item in answers]


def test_a_batch_is_one_call_and_stands_in_the_database(lasair, annotator):
    assert annotator.send(written(lasair, 1, 2)).outcome is Outcome.ACCEPTED
    assert lasair.calls == [("/api/annotatelist/", 2)]
    row = lasair.annotations()[object_id(lasair, 1)]
    assert (row["classification"], row["version"]) == ("SNIa", "ztf-transi 0.5.0")
    assert row["classdict"]["snia"] == 0.8


def test_the_latest_annotation_of_an_object_stands_alone(lasair, annotator):
    annotator.send(written(lasair, 1))
    annotator.send(written(lasair, 1, top_class="SNII"))
    assert [row["classification"] for row in lasair.annotations().values()] == ["SNII"]


def test_a_list_is_kept_up_to_the_annotation_that_is_refused(lasair, annotator):
    lasair.poison = lambda item: "Data too long" if str(item["objectId"]).endswith("2") else None
    reply = annotator.send(written(lasair, 1, 2, 3))
    assert (reply.outcome, reply.is_certain) == (Outcome.REFUSED, False)
    assert "annotation 1: Data too long" in reply.words
    assert set(lasair.annotations()) == {object_id(lasair, 1)}


def test_another_users_missing_or_idle_annotator_waits_for_a_person(lasair, annotator):
    lasair.add_annotator("other", "another-token")
    lasair.add_annotator("idle", TOKEN, active=0)
    for topic in ("none", "other", "idle"):
        reply = annotator.send(written(lasair, 1, topic=topic))
        assert (reply.outcome, topic in reply.words) == (Outcome.BARRED, True)


def test_a_wrong_token_waits_for_a_person(lasair):
    wrong = LasairAnnotator("mytopic", SecretStr("wrong-token-9876"), lasair.url, 5.0)
    assert wrong.send(written(lasair, 1)).outcome is Outcome.BARRED


def test_throttling_comes_without_a_time_and_is_over_after_an_hour(lasair, annotator):
    now = [0.0]
    lasair.clock, lasair.calls_per_hour = lambda: now[0], 2
    outcomes = [annotator.send(written(lasair, 1)).outcome for _ in range(3)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.THROTTLED]
    now[0] = 3600.0
    assert annotator.send(written(lasair, 1)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (500, Outcome.FAILED),
        (502, Outcome.AWAY),
        (503, Outcome.AWAY),
        (504, Outcome.AWAY),
        (-1, Outcome.AWAY),
        (403, Outcome.BARRED),
        (404, Outcome.BARRED),
        (413, Outcome.REFUSED),
    ],
)
def test_every_failure_has_its_meaning(lasair, annotator, status, outcome):
    lasair.failures = [status]
    assert annotator.send(written(lasair, 1)).outcome is outcome


def test_an_answer_that_comes_too_late_is_a_failure(lasair):
    lasair.slow_s = 0.5
    annotator = LasairAnnotator("mytopic", SecretStr(TOKEN), lasair.url, timeout_s=0.1)
    assert annotator.send(written(lasair, 1)).outcome is Outcome.FAILED


def test_a_database_that_is_away_refuses_no_annotation(lasair, annotator, monkeypatch):
    words = "Cannot connect to master database 2003"
    monkeypatch.setattr(lasair, "_owner_error", lambda *_: words)
    assert annotator.send(written(lasair, 1)).outcome is Outcome.FAILED


def test_the_token_is_in_no_words_and_no_repr(lasair, annotator):
    lasair.poison = lambda _: f"refused, {TOKEN}"
    reply = annotator.send(written(lasair, 1))
    assert "refused" in reply.words
    assert TOKEN not in f"{reply}{annotator!r}"


def test_one_bad_annotation_of_five_hundred_is_found_and_the_rest_goes_through(
    lasair, annotator, tmp_path
):
    bad = object_id(lasair, 321)
    lasair.poison = lambda item: "Data too long" if str(item["objectId"]) == bad else None
    outbox = Outbox(tmp_path / "outbox.sqlite")
    for made in written(lasair, *range(500)):
        outbox.queue(lasair.survey, Item(0, str(made["objectId"]), made, Said("SNIa"), 1.0, 0.0))
    sender = Sender(lasair.survey, outbox, annotator, Budget(50), 500)
    while outbox.depth(lasair.survey, 0.0).n_waiting:
        assert sender.step() == 0.0
    assert len(lasair.annotations()) == 499
    [(made, words, _)] = outbox.dead_letters(lasair.survey)
    assert (str(made["objectId"]), "Data too long" in words) == (bad, True)
    assert len(lasair.calls) <= 20
