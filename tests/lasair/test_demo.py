"""`make demo LASAIR=1`: annotations arrive at the Lasair of the tests while the demo plays."""

from broker_classifier.demo import run_demo
from broker_classifier.demo.annotations import TOKEN, TOPIC
from tests.lasair.fake_lasair import FakeLasair, served


def test_the_demos_objects_are_annotated(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    lasair = FakeLasair("ztf", calls_per_hour=10_000)
    lasair.add_annotator(TOPIC, TOKEN)
    with served(lasair):
        assert run_demo(n_objects=2, seed=3, output=tmp_path, seconds=5, lasair=lasair.url) == 0
    said = capsys.readouterr().out
    assert "Lasair has annotations of 2 objects." in said
    assert set(lasair.annotations()) == {"ZTF26simaaaa", "ZTF26simaaab"}
