"""Real packets: no asteroid, star or artefact is called a transient, and real transients are."""

import pytest

from broker_classifier.cli.load_settings import without_rules
from broker_classifier.config import Settings
from tests.kafka_sources import TOP
from tests.service.real_stream import outcome, table

pytestmark = pytest.mark.data
PAGE = TOP / "docs" / "how" / "whole-stream.md"
TYPED = {
    "ZTF19abzrhgq",
    "ZTF20aadyyvk",
    "ZTF20aaelulu",
    "ZTF20aafsnpp",
    "ZTF20aajcdad",
    "ZTF21aavuqzr",
    "ZTF21abeoaio",
    "ZTF21abiblpl",
    "ZTF21abngbrl",
    "ZTF21abpkpuy",
    "ZTF21abvicne",
}
"""Objects of `ztf-3.3` whose spectroscopic type is published."""


def test_asteroids_and_stars_give_no_answer(shared_data):
    result = outcome(shared_data / "alerts" / "ztf-4.01")
    assert result.reasons == {"solar_system": 15, "star": 7, "artefact": 2}
    assert result.answers == []


def test_without_the_rules_they_would_be_called_supernovae(shared_data):
    settings = without_rules(Settings())
    result = outcome(shared_data / "alerts" / "ztf-4.01", settings)
    assert result.totals["classified"] > 15


def test_negative_detections_of_stars_give_no_answer(shared_data):
    assert outcome(shared_data / "alerts" / "ztf-3.x-mixed").answers == []


def test_typed_transients_give_answers(shared_data):
    result = outcome(shared_data / "alerts" / "ztf-3.3")
    assert {answer["object_id"] for answer in result.answers} >= TYPED


def test_every_alert_of_a_supernova_gives_an_answer(shared_data):
    assert len(outcome(shared_data / "alerts" / "ztf-3.3-one-object").answers) == 34


def test_of_rubins_deep_fields_the_variable_star_and_the_asteroid_give_no_answer(shared_data):
    result = outcome(shared_data / "rubin-alerts")
    assert result.reasons == {"star": 1, "solar_system": 1}
    assert [answer["object_id"] for answer in result.answers] == ["313897383979122767"]


def test_the_documentation_has_these_counts(shared_data):
    """The classes that the answers have depend on the bundle, so they are not compared."""
    expected = [row.rpartition(" | ")[0] for row in table(shared_data).splitlines()]
    missing = [row for row in expected if row not in PAGE.read_text()]
    assert not missing, "renew the table: python -m tests.service.real_stream"
