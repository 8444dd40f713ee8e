"""Which Lasairs are annotated, and where their tokens come from."""

import pytest

from broker_classifier.cli.load_settings import load_settings
from broker_classifier.errors import ConfigError
from broker_classifier.lasair.annotators import annotators_of

TOPIC, TOKEN = "BROKER_ANNOTATE__ZTF__TOPIC", "BROKER_ANNOTATE__ZTF__TOKEN"


@pytest.fixture
def opened(monkeypatch):
    def open_with(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        return annotators_of(load_settings())

    return open_with


def token_of(annotators):
    return annotators["ztf"].client._client.headers["Authorization"]


def test_only_a_lasair_with_a_topic_and_a_token_is_annotated(opened):
    assert opened() == {}
    assert opened(**{TOPIC: "mytopic"}) == {}
    assert set(opened(**{TOKEN: "token"})) == {"ztf"}


def test_a_token_comes_from_its_variable_its_file_or_the_object_apis(opened, tmp_path):
    file = tmp_path / "token"
    file.write_text("in-the-file\n")
    assert token_of(opened(**{TOPIC: "t", "BROKER_LASAIR__ZTF_TOKEN": "usual"})) == "Token usual"
    annotators = opened(**{f"{TOKEN}_FILE": file})
    assert token_of(annotators) == "Token in-the-file"
    assert token_of(opened(**{TOKEN: "in-the-variable"})) == "Token in-the-variable"


@pytest.mark.parametrize("content", [None, "sécret-é".encode()])
def test_a_file_that_cannot_be_read_is_named_and_its_content_is_not(opened, tmp_path, content):
    if content:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match=r"annotate\.ztf\.token_file") as caught:
        opened(**{TOPIC: "t", f"{TOKEN}_FILE": tmp_path / "token"})
    assert "cret" not in str(caught.value).removeprefix("annotate.ztf.token_file")


@pytest.mark.parametrize(
    ("variable", "topic", "named"),
    [
        (TOPIC, "My-Topic", "cannot be a name in Lasair's SQL"),
        (TOPIC, "a_topic_that_is_too_long", "longer than the 16 letters"),
        (TOPIC, "tags_mine", "user's tags"),
        (TOPIC.replace("ZTF", "LSST"), "1topic", "cannot be a name"),
    ],
)
def test_a_topic_that_lasair_could_not_use_stops_the_start(opened, variable, topic, named):
    with pytest.raises(ConfigError, match=named):
        opened(**{variable: topic, TOKEN: "token"})


def test_several_bundles_of_a_survey_must_not_write_over_each_other(opened):
    live = '["ztf-transients", {"name": "new", "shadow": true}]'
    variables = {TOPIC: "t", TOKEN: "token", "BROKER_SURVEYS__ZTF__BUNDLES": live}
    assert set(opened(**variables)) == {"ztf"}
    variables["BROKER_SURVEYS__ZTF__BUNDLES"] = '["ztf-transients", "ztf-kilonovae"]'
    with pytest.raises(ConfigError, match=r"annotate\.ztf\.model: several .*ztf-kilonovae"):
        opened(**variables)
    assert set(opened(**variables, BROKER_ANNOTATE__ZTF__MODEL="ztf-transients")) == {"ztf"}
