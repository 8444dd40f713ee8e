"""The demo end to end, with embedded Kafka and the real service, on a few objects."""

import shutil
from pathlib import Path

import pytest

from broker_classifier.demo import run_demo
from broker_classifier.demo.annotations import TOKEN, TOPIC
from broker_classifier.demo.service_process import running_service
from broker_classifier.demo.simulate.night import write_night
from broker_classifier.errors import DataError, SetupError
from broker_classifier.streams.kafka_sink import KafkaSink
from tests.lasair.fake_lasair import FakeLasair, served


@pytest.fixture
def packets(tmp_path: Path) -> Path:
    """A folder with the first 30 alerts of a simulated night."""
    folder = tmp_path / "packets"
    for alert in write_night(folder, n_objects=2, seed=3)[30:]:
        (folder / f"{alert.alert_id}.avro").unlink()
    return folder


@pytest.fixture
def lasair(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    fake = FakeLasair("ztf", calls_per_hour=10_000)
    fake.add_annotator(TOPIC, TOKEN)
    with served(fake):
        yield fake


def test_a_small_night_is_played_and_proven_and_annotated(tmp_path, capsys, lasair):
    assert run_demo(n_objects=2, seed=3, output=tmp_path, seconds=5, lasair=lasair.url) == 0
    output = capsys.readouterr().out
    assert "first probability after" in output
    assert "Nothing is missing." in output
    page = (tmp_path / "index.html").read_text()
    assert "ZTF26simaaaa" in page
    assert "ZTF26simaaab" in page
    assert "Lasair has annotations of 2 objects." in output
    assert set(lasair.annotations()) == {"ZTF26simaaaa", "ZTF26simaaab"}


def test_broken_and_repeated_packets_are_accounted_for(tmp_path, packets, capsys):
    files = sorted(packets.iterdir())
    shutil.copy(files[0], packets / "again.avro")
    (packets / "broken.avro").write_bytes(files[1].read_bytes()[:-50])
    assert run_demo(alerts=packets, output=tmp_path / "night", seconds=5) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "received 32 = classified 30" in output
    assert "duplicate 1 + dead-lettered 1" in output


def test_an_alert_that_is_withheld_fails_the_demo_and_is_named(
    tmp_path, packets, capsys, monkeypatch
):
    withheld = sorted(packets.iterdir())[7]

    class LosingSink(KafkaSink):
        def send(self, messages, consumed=()):
            kept = [message for message in messages if message.value != withheld.read_bytes()]
            super().send(kept, consumed)

    monkeypatch.setattr("broker_classifier.demo.play.KafkaSink", LosingSink)
    monkeypatch.setattr("broker_classifier.demo.play.STALL_S", 3.0)
    assert run_demo(alerts=packets, output=tmp_path / "night", seconds=5) == 1
    output = capsys.readouterr().out
    assert "Alerts are missing." in output
    assert withheld.stem in output


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere does not exist"):
        run_demo(alerts=tmp_path / "nowhere", output=tmp_path)


def test_a_service_that_cannot_start_is_quoted(tmp_path):
    (tmp_path / "light-curves").write_text("a file where the store's folder should be")
    with running_service("localhost:1", ["ztf_demo"], tmp_path) as service:
        service._process.wait(60)
        with pytest.raises(SetupError, match="exit code"):
            service.accounting()
