"""What an annotation says: class, version, sentence, address, and what filters can ask for."""

import json

import pytest

from broker_classifier.lasair.annotation.classdict import KEYS, KEYS_VERSION
from broker_classifier.lasair.annotation.limits import violations
from broker_classifier.lasair.annotation.write_annotation import annotation
from tests.kafka_sources import TOP
from tests.lasair.messages import MJD, answer, history_of, point

PAGE = "https://broker.example.org/objects/{object_id}"


def written(*answers, survey="ztf", page_url=PAGE):
    return annotation(answers[-1], history_of(*answers), survey, "mytopic", page_url)


def test_a_first_answer_says_class_version_grounds_and_address():
    made = written(answer("SNIa", 0.8, 3.0, bits=1.234))
    assert made["objectId"] == "ZTF26aaaaaaa"
    assert (made["topic"], made["classification"]) == ("mytopic", "SNIa")
    assert made["version"] == "ztf-transi 0.5.0"
    assert made["explanation"] == (
        "SNIa (p = 0.80, 1.23 bits) from 3 points in g and r, 3.0 days after the first detection. "
        "SNIa since the first answer, of 2025-11-24."
    )
    assert made["url"] == "https://broker.example.org/objects/ZTF26aaaaaaa"
    assert violations(made, "ztf") == []


def test_a_changed_mind_says_what_it_was_before():
    answers = answer("SNII", 0.6), answer("SNIa", 0.7, 2.0), answer("SNII", 0.9, 4.0)
    explanation = written(*answers)["explanation"]
    assert "It was SNIa (p = 0.70) before 2025-11-25" in explanation
    assert "SNII (p = 0.60) at first; the class has changed 2 times." in explanation


def test_the_classdict_is_flat_and_has_the_history_that_lasair_does_not_keep():
    made = written(answer("SNII", 0.6), answer("SNIa", 0.8, 2.0, bits=1.0))["classdict"]
    assert made == {
        "keys_version": KEYS_VERSION,
        "top_class": "snia",
        "top_p": 0.8,
        "bits": 1.0,
        "n_points": 3,
        "days": 2.0,
        "mjd": MJD + 2,
        "alert_id": "1002000000",
        "first_class": "snii",
        "first_p": 0.6,
        "first_mjd": MJD,
        "previous_class": "snii",
        "previous_p": 0.6,
        "changed_mjd": MJD + 2,
        "n_changes": 1,
        "snia": 0.8,
        "ep_snia": 0.8,
        "snii": 0.2,
        "ep_snii": 0.2,
    }


def test_what_a_message_does_not_say_has_no_key():
    made = written(answer(bits=None, probabilities_equal_prior={}, light_curve=[]))["classdict"]
    assert not {"bits", "days", "fade", "previous_class", "changed_mjd", "ep_snia"} & set(made)


def test_a_fading_object_has_its_steepest_band():
    curve = [
        point(0.0, 1000.0),
        point(2.0, 1000.0 / 2.512),
        point(0.0, 900.0, "g"),
        point(2.0, 900.0, "g"),
    ]
    made = written(answer(days=2.0, light_curve=curve))["classdict"]
    assert made["fade"] == pytest.approx(0.5, abs=1e-4)


def test_an_answer_that_is_taken_back_says_so():
    made = written(answer("SNIa", 0.8), answer("NotClassified", 1.0, 1.0))
    assert made["classification"] == "NotClassified"
    assert made["explanation"].startswith("The answer before, SNIa, is taken back")
    assert made["classdict"]["notclassified"] == 1.0


def test_lasairs_ids_are_integers_at_lsst_and_names_at_ztf():
    assert written(answer(object_id="3136", survey="lsst"), survey="lsst")["objectId"] == 3136
    assert written(answer(object_id="ZTF'; DROP", survey="ztf")) is None
    assert written(answer(object_id="ZTF21abiuvdk", survey="lsst"), survey="lsst") is None


@pytest.mark.parametrize(
    "page_url", ["", "javascript:alert({object_id})", "https://x/'{object_id}"]
)
def test_an_address_that_is_none_is_left_out(page_url):
    assert written(answer(), page_url=page_url)["url"] == ""


@pytest.mark.parametrize("name", ["ztf-transients", "lsst-transients", "ztf-kilonovae"])
def test_every_class_of_a_shipped_bundle_has_a_key_of_its_own(name):
    classes = json.loads((TOP / "models" / name / "bundle.json").read_text())["classes"]
    share = 1 / len(classes)
    probabilities = dict.fromkeys(classes, share)
    made = written(answer(probabilities=probabilities, probabilities_equal_prior=probabilities))
    assert len(set(made["classdict"]) - set(KEYS)) == 2 * len(classes)
