"""Settings: file, then environment, then options; nothing unknown passes."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker_classifier.cli.load_settings import (
    load_settings,
    settings_table,
    with_kafka,
    with_survey,
)
from broker_classifier.config import BundleEntry
from broker_classifier.config.rules import Rules
from broker_classifier.config.secrets import plain
from broker_classifier.errors import ConfigError


def written(tmp_path, text):
    path = tmp_path / "broker.toml"
    path.write_text(text)
    return path


def entries(*names, shadow=()):
    live = [BundleEntry(name=Path(name)) for name in names]
    return (*live, *(BundleEntry(name=Path(name), shadow=True) for name in shadow))


def test_defaults_need_no_file():
    settings = load_settings()
    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert list(settings.surveys) == ["ztf", "lsst", "elasticc"]


def test_the_environment_overrides_the_file_key_by_key(tmp_path, monkeypatch):
    path = written(tmp_path, '[kafka]\ngroup_id = "file"\nbatch_size = 7\n')
    monkeypatch.setenv("BROKER_KAFKA__GROUP_ID", "environment")
    settings = load_settings(path)
    assert (settings.kafka.group_id, settings.kafka.batch_size) == ("environment", 7)


def test_lists_and_tables_are_json_in_the_environment(monkeypatch):
    monkeypatch.setenv("BROKER_SURVEYS__ZTF__TOPICS", '["a", "^b.*"]')
    monkeypatch.setenv("BROKER_KAFKA__CLIENT", '{"sasl.username": "me"}')
    settings = load_settings()
    assert settings.surveys["ztf"].topics == ("a", "^b.*")
    assert plain(settings.kafka.client) == {"sasl.username": "me"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[kafka]\nbootstrap = 1\n", r"kafka\.bootstrap: no such setting"),
        ("[kafak]\n", r"kafak: no such setting"),
        ("[kafka]\nbatch_size = 0\n", r"kafka\.batch_size: must be at least 1"),
        ("[surveys.sdss]\ntopics = []\n", r"no such survey: sdss; known are ztf"),
        ("kafka = [", r"broker\.toml cannot be read as TOML"),
    ],
)
def test_a_wrong_setting_in_the_file_is_named(tmp_path, text, named):
    with pytest.raises(ConfigError, match=named):
        load_settings(written(tmp_path, text))


@pytest.mark.parametrize("name", ["BROKER_KAFKA__BOOTSTRAP", "BROKER_KAFAK__GROUP_ID"])
def test_an_unknown_variable_is_named(monkeypatch, name):
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError, match=re.compile(name.split("__")[-1], re.IGNORECASE)):
        load_settings()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml does not exist"):
        load_settings(tmp_path / "none.toml")


def test_options_override_the_environment_and_are_checked(monkeypatch):
    monkeypatch.setenv("BROKER_KAFKA__BOOTSTRAP_SERVERS", "environment:1")
    settings = with_kafka(load_settings(), bootstrap_servers="option:1", batch_size=None)
    assert settings.kafka.bootstrap_servers == "option:1"
    with pytest.raises(ConfigError, match="batch_size"):
        with_kafka(settings, batch_size=-1)


def test_a_bundle_option_replaces_the_surveys_own():
    settings = with_survey(load_settings(), "ztf", bundles=[Path("other")], schemas=None)
    assert settings.surveys["ztf"].bundles == entries("other")
    assert settings.surveys["ztf"].topics == ("^ztf_.*",)


def test_another_survey_leaves_ztf_as_it_is(tmp_path):
    settings = load_settings(written(tmp_path, '[surveys.lsst]\ntopics = ["alerts"]\n'))
    assert settings.surveys["ztf"] == load_settings().surveys["ztf"]
    assert settings.surveys["lsst"].topics == ("alerts",)
    assert settings.surveys["lsst"].bundles == entries("lsst-transients")


def test_one_key_of_ztf_leaves_its_other_defaults(monkeypatch):
    monkeypatch.setenv("BROKER_SURVEYS__ZTF__TOPICS", '["mine"]')
    assert load_settings().surveys["ztf"].bundles == entries("ztf-transients")


def test_tokens_are_not_shown(monkeypatch):
    monkeypatch.setenv("BROKER_LASAIR__ZTF_TOKEN", "very-secret")
    assert "very-secret" not in repr(load_settings())


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"BROKER_KAFKA__OUTPUT_TOPIC": "ztf_out"}, r"reads what is written: \^ztf_"),
        ({"BROKER_KAFKA__DEAD_LETTER_TOPIC": "ztf_dead"}, r"reads what is written: \^ztf_"),
        ({"BROKER_KAFKA__DEAD_LETTER_TOPIC": "classifications"}, "must differ"),
        ({"BROKER_KAFKA__SHADOW_TOPIC": "classifications"}, "must differ"),
        ({"BROKER_SURVEYS__ZTF__TOPICS": "not json"}, "lists and tables are JSON"),
        ({"BROKER_SURVEYS__ZTF__TOPICS": '["^ztf_("]'}, "is no pattern"),
        ({"BROKER_SURVEYS__ZTF__TOPICS": '[""]'}, "name is empty"),
        ({"BROKER_KAFKA__CLIENT": '{"enable.auto.commit": true}'}, "enable.auto.commit cannot"),
    ],
)
def test_settings_that_would_harm_the_stream_stop_the_start(monkeypatch, variables, named):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=named):
        load_settings()


def test_every_setting_has_a_sentence():
    table = settings_table()
    assert len({name for name, _, _ in table}) == len(table)
    assert [name for name, _, sentence in table if not sentence.endswith(".")] == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("KAFKA__BATCH_SIZE", "many", "kafka.batch_size: must be a whole number"),
        ("KAFKA__BATCH_SIZE", "0", "kafka.batch_size: must be at least 1"),
        ("SURVEYS__ZTF__TOPICS", '"mine"', "surveys.ztf.topics: must be a list"),
        ("LOG__FORMAT", "xml", "log.format: must be one of 'json' or 'text'"),
        ("KAFKA__GRUOP", "x", "kafka.gruop: no such setting"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(monkeypatch, variable, value, words):
    monkeypatch.setenv(f"BROKER_{variable}", value)
    with pytest.raises(ConfigError, match=words) as error:
        load_settings()
    assert "Input should" not in str(error.value)


@pytest.mark.parametrize("line", ['bundle = "none"', "bundles = []"])
def test_no_bundle_is_set_by_none_or_an_empty_list(tmp_path, line):
    settings = load_settings(written(tmp_path, f"[surveys.ztf]\n{line}\n"))
    assert settings.surveys["ztf"].bundles == ()


def test_a_survey_has_several_bundles_and_some_of_them_in_shadow(tmp_path):
    text = '[surveys.ztf]\nbundles = ["a", {name = "b"}, {name = "c", shadow = true}]\n'
    settings = load_settings(written(tmp_path, text))
    assert settings.surveys["ztf"].bundles == entries("a", "b", shadow=["c"])
    assert "classifications-shadow" in settings.written_topics
    assert "classifications-shadow" not in load_settings().written_topics


@pytest.mark.parametrize(
    ("variable", "value", "bundles"),
    [
        ("BUNDLE", "x", entries("x")),
        ("BUNDLE", "none", ()),
        ("BUNDLES", '["x", {"name": "y", "shadow": true}]', entries("x", shadow=["y"])),
    ],
)
@pytest.mark.parametrize("line", ["", 'bundle = "in-file"', 'bundles = ["in-file"]'])
def test_bundles_of_the_environment_win_in_either_spelling(
    tmp_path, monkeypatch, line, variable, value, bundles
):
    monkeypatch.setenv(f"BROKER_SURVEYS__ZTF__{variable}", value)
    settings = load_settings(written(tmp_path, f"[surveys.ztf]\n{line}\n"))
    assert settings.surveys["ztf"].bundles == bundles


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('bundle = "a"\nbundles = ["b"]', "surveys.ztf: set bundles or bundle, not both"),
        ('bundles = [{name = "a", shaddow = true}]', "bundles.0.shaddow: no such setting"),
        ("bundles = [{shadow = true}]", "bundles.0.name"),
        ('bundles = "a"', "surveys.ztf.bundles: must be a list"),
    ],
)
def test_wrong_bundles_are_told_in_plain_words(tmp_path, line, words):
    with pytest.raises(ConfigError, match=words):
        load_settings(written(tmp_path, f"[surveys.ztf]\n{line}\n"))


def test_a_rule_is_switched_off_and_another_has_its_limit_alone(tmp_path):
    text = (
        "[surveys.ztf.rules.star]\non = false\n[surveys.ztf.rules.artefact]\nmin_reliability = 0.8"
    )
    settings = load_settings(written(tmp_path, text))
    rules = settings.surveys["ztf"].rules
    assert (rules.star.on, rules.artefact.min_reliability) == (False, 0.8)
    assert (rules.variable, settings.surveys["lsst"].rules) == (Rules().variable, Rules())


def test_an_unknown_rule_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"surveys\.ztf\.rules\.moon"):
        load_settings(written(tmp_path, "[surveys.ztf.rules.moon]\non = false\n"))


@pytest.mark.parametrize("since", ["2026-13-01", "yesterday", "01.11.2026", ""])
def test_a_date_that_is_none_is_told_with_how_to_write_one(since, monkeypatch):
    monkeypatch.setenv("BROKER_KAFKA__SINCE", since)
    with pytest.raises(ConfigError, match=r"kafka\.since: .* is no date; write one as 2026-11-01"):
        load_settings()


def test_a_date_may_be_one_of_toml_and_is_utc(tmp_path):
    (tmp_path / "settings.toml").write_text("[kafka]\nsince = 2026-11-01\n")
    assert load_settings(tmp_path / "settings.toml").kafka.since == datetime(
        2026, 11, 1, tzinfo=UTC
    )
