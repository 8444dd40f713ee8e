"""What a user is told of long work: that it compiles first, and what stands when it is stopped."""

from pathlib import Path

from broker_classifier.cli.command import SLOWLY_COMPILED, tell_of_the_first_run
from broker_classifier.service import serve
from broker_classifier.streams import replay
from tests.cli.test_main import run
from tests.ztf_packets import flare


def test_a_stopped_replay_says_how_to_go_on(session_embedded_kafka, unique, tmp_path, monkeypatch):
    for i, packet in enumerate(flare("ZTF1", n=5)):
        (tmp_path / f"{i}.avro").write_bytes(packet)
    waits = iter([lambda: None, lambda: None, _stop])
    monkeypatch.setattr(replay.time, "sleep", lambda _: next(waits)())
    where = ["--topic", unique, "--bootstrap-servers", session_embedded_kafka.bootstrap_servers]
    ended = run("replay", tmp_path, *where, "--rate", "1")
    assert ended.exit_code == 130
    assert "stopped: 2 alerts were sent; --skip 2 goes on" in ended.output


def test_a_stopped_classify_says_that_it_has_not_read_all(tmp_path, monkeypatch):
    (tmp_path / "1.avro").write_bytes(flare("ZTF1")[0])
    monkeypatch.setattr(serve, "run", lambda *_: _stop())
    for output, stands in ((tmp_path / "o.jsonl", "has the answers to"), ("-", "is not written")):
        ended = run("classify", tmp_path, "--output", output)
        assert ended.exit_code == 130
        assert f"stopped: {output} {stands}" in ended.output


def _stop():
    raise KeyboardInterrupt


def test_the_first_run_is_told_until_all_is_compiled(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    for source in SLOWLY_COMPILED:
        tell_of_the_first_run()
        assert "the first run compiles" in capsys.readouterr().err
        (tmp_path / f"{Path(source).stem}.f-1.py311.nbi").touch()
    tell_of_the_first_run()
    assert capsys.readouterr().err == ""
