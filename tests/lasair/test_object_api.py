"""Our reader of the object API beside Lasair's own client, on the contract fake."""

import json

import pytest
from lasair import LasairError, lasair_client

from broker_classifier.surveys.lasair_api import LasairApi
from tests.lasair.fake_lasair import FakeLasair, served
from tests.surveys.lasair_rows import LSST_ID, lite, source


@pytest.fixture
def lasair(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = FakeLasair("lsst", calls_per_hour=4)
    server.add_annotator("mytopic", "token")
    server.light_curves[str(LSST_ID)] = json.dumps(lite(source(60983.2), source(60975.2)))
    with served(server):
        yield server


def test_both_are_given_the_same_light_curve(lasair):
    official = lasair_client("token", endpoint=lasair.url)
    given = official.object(str(LSST_ID), lite=False, lasair_added=False)
    assert LasairApi("token", lasair.url).fetch(str(LSST_ID), "1") == given
    assert lasair.calls == [("/api/object/", 0)] * 2


def test_both_spend_the_same_calls_and_are_throttled_alike(lasair):
    official = lasair_client("token", endpoint=lasair.url)
    for _ in range(4):
        official.object(str(LSST_ID))
    with pytest.raises(LasairError) as caught:
        official.object(str(LSST_ID))
    assert "Request limit exceeded" in caught.value.message
