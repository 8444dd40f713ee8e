"""Rows that Lasair sends again: a filter was edited, both triggers ran, an annotation was new."""

import io
import threading
from collections import Counter
from typing import Any

import fastavro
import pytest

from broker_classifier.service.loop import run
from broker_classifier.store import MemoryStore
from broker_classifier.surveys.lasair import decode_batch, decoder
from tests.streets import DECODERS, ListSource, Topic, street
from tests.surveys.lasair_rows import LSST_ID, lite, row, source
from tests.ztf_packets import flare

OBJECT = "ZTF21abiuvdk"
PACKETS = flare(OBJECT, n=6)
RECORDS: list[Any] = [next(fastavro.reader(io.BytesIO(packet))) for packet in PACKETS]
CANDIDATES = [record["candidate"] for record in RECORDS]


def ztf_row(n_seen, **columns):
    """The object's row after so many detections."""
    seen = CANDIDATES[:n_seen]
    return row(objectId=OBJECT, jdmax=seen[-1]["jd"], candidates=seen[::-1], **columns)


ROWS = [ztf_row(n, UTC=f"2023-02-2{n} 00:00:00") for n in range(1, 7)]


@pytest.fixture
def outcomes():
    """What becomes of topics of rows that a service reads one after the other."""
    store = MemoryStore()

    def read(*topics):
        counted = Counter()
        for rows in topics:
            lasair = DECODERS | {"ztf": decoder({})}
            service = street(ListSource(Topic(rows)), store=store, decoders=lasair)
            run(service, threading.Event())
            counted.update(service.metrics.totals())
        return counted["classified"], counted["duplicate"]

    return read


def test_a_filter_that_was_edited_and_refilled_gives_duplicates_and_then_goes_on(outcomes):
    refilled = [*ROWS[1:3], ROWS[4]]
    assert outcomes(ROWS[:4], refilled) == (5, 2)


def test_an_object_that_comes_with_its_old_and_its_new_annotation_is_answered_once(outcomes):
    old = ztf_row(3, classification="SNII", classdict='{"snii": 0.6}', UTC="2023-02-23 00:00:00")
    new = ztf_row(3, classification="SNIa", classdict='{"snia": 0.8}', UTC="2023-02-23 00:00:07")
    assert outcomes([old, new]) == (1, 1)


def test_a_source_that_stands_twice_in_a_light_curve_is_one_point():
    twice = source(60983.2, diaSourceId=3, ra=9.0)
    [alert] = decode_batch([row(diaObjectId=LSST_ID, alert=lite(twice, twice, source(60975.2)))])
    assert alert.alert_id == 3
    assert alert.curve.mjd.tolist() == [60975.2, 60983.2]


@pytest.mark.parametrize("again", [2, 3])
def test_a_source_that_comes_again_in_another_row_is_the_same_alert(again):
    rows = [row(diaObjectId=LSST_ID, alert=lite(source(60983.2, diaSourceId=3)))] * again
    assert {alert.alert_id for alert in decode_batch(rows)} == {3}
