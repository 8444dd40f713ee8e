"""Stored light curves answered again, against what `classify` says of the same alerts in files."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from broker_classifier.cli.main import app
from broker_classifier.config import Settings
from broker_classifier.errors import ConfigError
from broker_classifier.light_curve.photometry import unix_from_mjd
from broker_classifier.model.classify import classify
from broker_classifier.service.rebuild import merge_into
from broker_classifier.service.reprocess import checked_topic
from broker_classifier.service.serve import classify_files
from broker_classifier.store import EmbeddedStore
from broker_classifier.streams.classification import parse
from tests.bundles import small_bundle
from tests.service.test_rebuild import NIGHT, RULES, messages, whole
from tests.ztf_packets import flare

LATE = flare("ZTF4", n=5, start=60300.0)
LAST_MJD = 60000.0 + 3.0 * 13


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store of four objects, the last one detected 300 days after the others."""
    folder = tmp_path_factory.mktemp("store")
    with closing(EmbeddedStore(folder)) as store:
        merge_into(store, RULES, messages([*NIGHT, *LATE]))
        store.flush()
    return folder


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """What classify says of the same alerts, by alert."""
    folder = tmp_path_factory.mktemp("files")
    for i, packet in enumerate([*NIGHT, *LATE]):
        (folder / f"{i:03}.avro").write_bytes(packet)
    classify_files(Settings(), [folder], "ztf", folder / "right.jsonl")
    lines = (folder / "right.jsonl").read_bytes().splitlines()
    return {message.alert_id: message for message in map(parse, lines)}


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """A bundle that hears silence, and its folder."""
    folder = tmp_path_factory.mktemp("trees")
    return small_bundle(folder, architecture="boosted_trees"), folder


@pytest.fixture
def reprocess(folder, monkeypatch):
    monkeypatch.setenv("BROKER_STORE__PATH", str(folder))

    def run(*arguments):
        return CliRunner().invoke(app, ["reprocess", *map(str, arguments)])

    return run


def answers_of(ended):
    assert ended.exit_code == 0, ended.output
    return [parse(line) for line in ended.stdout.splitlines() if line.startswith('{"schema')]


def test_every_answered_alert_has_the_answer_that_classify_gives(reprocess, right, tmp_path):
    ended = reprocess("--output", tmp_path / "again.jsonl")
    assert json.loads(ended.stdout) == {
        "objects": 4,
        "answers": 47,
        "without_alert": 0,
        "unusable": 0,
    }
    again = [parse(line) for line in (tmp_path / "again.jsonl").read_bytes().splitlines()]
    assert {message.id for message in again} == {message.id for message in right.values()}
    for message in again:
        of_file = right[message.alert_id]
        assert message.probabilities == pytest.approx(of_file.probabilities, abs=2e-5)
        assert (message.mjd, message.object_id) == (of_file.mjd, of_file.object_id)
        used = [(p.mjd, p.band, p.psf_flux, p.rejected) for p in message.light_curve]
        assert used == [(p.mjd, p.band, p.psf_flux, p.rejected) for p in of_file.light_curve]


def test_every_bundle_of_the_settings_answers_but_those_in_shadow(reprocess, monkeypatch):
    shadow = {"name": "ztf-kilonovae", "shadow": True}
    asked = ("--output", "-", "--object", "ZTF1", "--newest")
    for entries, names in [
        (["ztf-transients", "ztf-kilonovae"], {"ztf-transients", "ztf-kilonovae"}),
        (["ztf-transients", shadow], {"ztf-transients"}),
    ]:
        monkeypatch.setenv("BROKER_SURVEYS__ZTF__BUNDLES", json.dumps(entries))
        answers = answers_of(reprocess(*asked))
        assert {message.model.name for message in answers} == names
        assert len(answers) == len(names)


def test_messages_carry_the_version_under_which_the_object_is_stored(reprocess, folder):
    messages_ = answers_of(reprocess("--output", "-", "--newest"))
    with closing(EmbeddedStore(folder)) as store:
        records = store.read([f"ztf:{message.object_id}" for message in messages_])
    assert [m.curve_version for m in messages_] == [record.version for record in records]


def test_newest_is_one_answer_an_object(reprocess, right):
    newest = answers_of(reprocess("--output", "-", "--newest"))
    assert len(newest) == 4
    for message in newest:
        of_object = [m for m in right.values() if m.object_id == message.object_id]
        assert message.mjd == max(m.mjd for m in of_object)


def test_objects_are_chosen_by_name_and_by_their_last_detection(reprocess):
    named = answers_of(reprocess("--output", "-", "--object", "ZTF1", "--object", "ZTF2"))
    assert {message.object_id for message in named} == {"ZTF1", "ZTF2"}
    day = datetime.fromtimestamp(unix_from_mjd(60100.0), UTC).strftime("%Y-%m-%d")
    late = answers_of(reprocess("--output", "-", "--since", day))
    assert {message.object_id for message in late} == {"ZTF4"}
    assert answers_of(reprocess("--output", "-", "--survey", "lsst")) == []


def test_an_answer_asked_for_later_hears_the_silence(reprocess, trees):
    bundle, folder = trees
    at = LAST_MJD + 20.5
    asked = ("--output", "-", "--bundle", folder, "--object", "ZTF1")
    [later] = answers_of(reprocess(*asked, "--at", at))
    (expected,) = classify([whole("ZTF1")], bundle, at_mjd=at)
    assert later.probabilities == pytest.approx(expected.by_class, abs=2e-5)
    [at_last] = answers_of(reprocess(*asked, "--newest"))
    assert later.probabilities != pytest.approx(at_last.probabilities, abs=1e-3)
    assert (later.at_mjd, at_last.at_mjd) == (at, None)
    assert later.alert_id == at_last.alert_id
    assert later.id == f"{at_last.id}:{at:.5f}"


def test_a_moment_in_the_past_asks_for_what_was_known_then(reprocess, trees):
    bundle, folder = trees
    at = 60010.0
    asked = ("--output", "-", "--bundle", folder, "--at", at)
    then = answers_of(reprocess(*asked))
    assert {message.object_id for message in then} == {"ZTF1", "ZTF2", "ZTF3"}
    for message in then:
        (expected,) = classify([whole(message.object_id)], bundle, at_mjd=at)
        assert message.probabilities == pytest.approx(expected.by_class, abs=2e-5)
        assert message.mjd == 60009.0


def test_now_is_a_moment(reprocess, trees):
    [now] = answers_of(
        reprocess("--output", "-", "--bundle", trees[1], "--object", "ZTF1", "--at", "now")
    )
    assert 60000.0 < now.at_mjd < 88000.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "61000"], "ztf-transients .* does not hear silence"),
        (["--at", "tomorrow"], "--at tomorrow is no date from 1950 to 2100: give an MJD"),
        (["--at", "2460000.5"], "is no date from 1950 to 2100"),
        (["--object", "ZTF1", "--object", "ZTF8"], "has no object ZTF8 of ztf"),
        (["--bundle", "lsst-transients", "--survey", "ztf"], "is for lsst objects, not for ztf"),
        (["--survey", "lasair"], "no bundle is set for lasair: give one with --bundle"),
        (["--topic", "mine"], "leave --topic or --output out"),
    ],
)
def test_a_wrong_wish_is_refused_with_what_to_do(reprocess, tmp_path, arguments, said):
    ended = reprocess("--output", tmp_path / "none.jsonl", *arguments)
    assert ended.exit_code == 2
    assert re.search(said, ended.output)


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("ztf_20261101", r"is read as alerts \(surveys.ztf.topics\)"),
        ("dead-letters", "is for other messages of the service"),
    ],
)
def test_a_topic_where_answers_would_do_harm_is_refused(topic, said):
    with pytest.raises(ConfigError, match=said):
        checked_topic(Settings(), topic)
    with pytest.raises(ConfigError, match="asked for at a later time do not belong"):
        checked_topic(Settings(), "classifications", 61000.0)
    assert checked_topic(Settings(), "classifications") == "classifications"
