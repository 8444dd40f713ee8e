"""Lasair's rows through the whole street: the answers of the survey's packets, all accounted."""

import io
import json
import threading
from typing import Any

import fastavro
import pytest

from broker_classifier.service.loop import run
from broker_classifier.streams.files import FileSource
from broker_classifier.surveys.alert import Decoder
from broker_classifier.surveys.lasair import decoder
from broker_classifier.surveys.lasair_api import LasairApi
from tests.streets import DECODERS, ListSink, ListSource, Topic, standing, street
from tests.surveys.lasair_rows import fake_lasair, row
from tests.ztf_packets import flare

PACKETS = flare("ZTF21abiuvdk", n=8)
RECORDS: list[Any] = [next(fastavro.reader(io.BytesIO(packet))) for packet in PACKETS]
CANDIDATES = [record["candidate"] for record in RECORDS]
UTC = "2023-02-25 00:00:00"
ROWS = [row(objectId="ZTF21abiuvdk", jdmax=entry["jd"], UTC=UTC) for entry in CANDIDATES]


def answers_of(source, apis=None):
    sink = ListSink()
    carrying = street(source, sink, decoders=DECODERS | {"lasair": Decoder(decoder(apis or {}))})
    run(carrying, threading.Event())
    return standing(sink.to("classifications")), carrying.metrics.totals()


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(ROWS))
    return FileSource([tmp_path], "ztf", len(ROWS))


def test_rows_are_answered_like_the_packets_that_they_stand_for(rows, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with fake_lasair() as lasair:
        lasair.objects["ZTF21abiuvdk"] = json.dumps({"candidates": CANDIDATES[::-1]})
        api = LasairApi(lasair.token, lasair.url)
        answers, totals = answers_of(rows, {"ztf": api})
    expected, _ = answers_of(ListSource(Topic(PACKETS)))
    assert answers == expected
    assert totals["received"] == totals["classified"] == len(ROWS)
    assert len(lasair.asked) == 1


def test_rows_that_nobody_can_complete_are_declined_and_counted(rows):
    answers, totals = answers_of(rows)
    assert answers == {}
    assert totals["received"] == totals["declined"] == len(ROWS)


def test_rows_that_cannot_be_completed_now_are_dead_letters(rows):
    spent = LasairApi("token", "http://127.0.0.1:9/api", calls_per_hour=0)
    answers, totals = answers_of(rows, {"ztf": spent})
    assert answers == {}
    assert totals["received"] == totals["dead_lettered"] == len(ROWS)
