"""Which bundle answers whose alerts, from the settings on to a file of classifications."""

from pathlib import Path

import orjson
import pytest

from broker_classifier.cli.load_settings import load_settings, with_survey
from broker_classifier.config import BundleEntry, Settings, SurveySettings
from broker_classifier.errors import BundleError
from broker_classifier.service.serve import classify_files
from broker_classifier.service.served_bundles import load_bundles
from tests.bundles import small_bundle
from tests.surveys.lsst_packets import framed, packet, source, write_schemas

SHIPPED = Path("lsst-transients")


def test_every_survey_has_a_bundle_of_its_own_or_of_what_it_simulates():
    bundles = load_bundles(load_settings())
    loaded = {survey: served.bundle for survey, [served] in bundles.items()}
    assert {survey: bundle.survey for survey, bundle in loaded.items()} == {
        "ztf": "ztf",
        "lsst": "lsst",
        "elasticc": "lsst",
    }
    assert loaded["lsst"] is loaded["elasticc"]


def test_a_bundle_for_another_survey_stops_the_start():
    settings = Settings(surveys={"ztf": SurveySettings(bundle=SHIPPED)})
    with pytest.raises(BundleError, match="for lsst alerts, not for ztf"):
        load_bundles(settings)


def test_two_bundles_of_one_name_on_one_topic_stop_the_start(tmp_path):
    for version in ("a", "b"):
        small_bundle(tmp_path / version)
    both = [BundleEntry(name=tmp_path / version) for version in ("a", "b")]
    with pytest.raises(BundleError, match=r"two bundles with the name small; .* shadow = true"):
        load_bundles(Settings(surveys={"ztf": SurveySettings(bundles=both)}))
    both[1] = BundleEntry(name=both[1].name, shadow=True)
    settings = Settings(surveys={"ztf": SurveySettings(bundles=both)})
    served = load_bundles(settings)["ztf"]
    assert [of_ztf.topic for of_ztf in served] == ["classifications", "classifications-shadow"]
    assert [of_ztf.topic for of_ztf in load_bundles(settings, with_shadows=False)["ztf"]] == [
        "classifications"
    ]


def test_rubin_alerts_are_classified_without_any_setting_but_their_schemas(tmp_path):
    schemas = write_schemas(tmp_path / "schemas")
    past = [source(60000.0, "r"), source(60003.0, "i", 2000.0)]
    alert = tmp_path / "alert.bin"
    alert.write_bytes(framed(packet(source(60006.0, "u", 1500.0), past)))
    output = tmp_path / "found.jsonl"
    settings = with_survey(load_settings(), "lsst", schemas=schemas)
    classify_files(settings, [alert], "lsst", output)
    (answer,) = [orjson.loads(line) for line in output.read_bytes().splitlines()]
    assert answer["model"]["name"] == "lsst-transients"
    assert answer["n_points_used"] == 3
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
