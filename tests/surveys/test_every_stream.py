"""Every file of the development data through the decoder of the survey that its bytes tell."""

from collections import Counter

import pytest

from broker_classifier.errors import MessageError
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.surveys import elasticc, lasair, lsst, ztf
from broker_classifier.surveys.avro.schema_sources import folder_schemas, schemas_in_folder

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def alerts(shared_data):
    return shared_data / "alerts"


@pytest.fixture(scope="module")
def decoders(alerts):
    elasticc_schema = schemas_in_folder(alerts / "elasticc")["elasticc.v0_9_1.alert"]
    return {
        "ztf": ztf.decoder(),
        "lsst": lsst.decoder(folder_schemas(alerts / "lsst-schemas")),
        "elasticc": elasticc.decoder(elasticc_schema),
        "lasair": lasair.decode_batch,
    }


@pytest.fixture(scope="module")
def decoded(alerts, decoders):
    packets = list(alert_packets([alerts]))
    return [
        (packet, *decoders[packet.survey]([packet.value])) for packet in packets if packet.survey
    ]


def test_every_file_is_read_but_the_light_curve_without_an_object(alerts, decoded):
    refused = {packet.origin for packet, alert in decoded if isinstance(alert, MessageError)}
    assert {origin.rpartition("/")[2] for origin in refused} <= {
        "313637921267122191_lite.json",  # names no object
        "alert.json",  # Rubin's sample of 7.4 has an impossible time
        "fakeAlert.avro",  # and so may its Avro twin
    }
    assert len(refused) <= 3


def test_alerts_say_whose_they_are(decoded):
    counts = Counter(
        (packet.survey, a.survey) for packet, a in decoded if not isinstance(a, MessageError)
    )
    assert set(counts) == {
        ("ztf", "ztf"),
        ("lsst", "lsst"),
        ("elasticc", "elasticc"),
        ("lasair", "lsst"),
        ("lasair", "ztf"),
    }
    assert counts["ztf", "ztf"] == 170
    assert counts["elasticc", "elasticc"] == 41


def test_a_folder_read_at_once_gives_the_same_alerts(decoded, decoders):
    for survey, decode in decoders.items():
        of_survey = [(packet.value, alert) for packet, alert in decoded if packet.survey == survey]
        at_once = decode([value for value, _ in of_survey])
        for (_, alone), together in zip(of_survey, at_once, strict=True):
            assert together == alone or str(together) == str(alone)
