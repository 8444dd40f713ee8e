"""Files as source and sink: every packet once, archives as a stream, the last answer stands."""

import io
import tarfile

import orjson
import pytest

from broker_classifier.errors import ConfigError, DataError
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.streams.files import (
    FileSource,
    JsonLinesSink,
    dead_letter_file,
    declined_file,
)
from broker_classifier.streams.message import Outgoing
from tests.ztf_packets import alert, container, measurement

RECORDS = [alert(f"ZTF{i}", [measurement(60000.0 + i)]) for i in range(5)]
PACKETS = [container(record) for record in RECORDS]


def night(folder, name="night.tar.gz", mode="w:gz"):
    path = folder / name
    with tarfile.open(path, mode) as archive:
        for i, packet in enumerate(PACKETS):
            member = tarfile.TarInfo(f"deep/{i}.avro")
            member.size = len(packet)
            archive.addfile(member, io.BytesIO(packet))
    return path


def packets(*paths):
    return [packet.value for packet in alert_packets(paths)]


def test_a_folder_is_read_in_the_order_of_names_at_any_depth(tmp_path):
    (tmp_path / "b").mkdir()
    for name, packet in zip(["a.avro", "b/c.avro", "z.avro"], PACKETS, strict=False):
        (tmp_path / name).write_bytes(packet)
    (tmp_path / "notes.txt").write_text("not an alert")
    assert packets(tmp_path) == PACKETS[:3]


@pytest.mark.parametrize(
    ("name", "mode"), [("n.tar.gz", "w:gz"), ("n.tgz", "w:gz"), ("n.tar", "w")]
)
def test_an_archive_is_read_member_by_member(tmp_path, name, mode):
    assert packets(night(tmp_path, name, mode)) == PACKETS


def test_an_archive_is_never_held_whole(tmp_path):
    source = alert_packets([night(tmp_path)])
    first = next(source)
    assert (first.origin.rpartition("!")[2], first.value) == ("deep/0.avro", PACKETS[0])


def test_a_file_of_many_alerts_is_split(tmp_path):
    (tmp_path / "many.avro").write_bytes(container(*RECORDS, codec="deflate"))
    assert len(packets(tmp_path / "many.avro")) == len(RECORDS)


def test_a_broken_file_comes_as_one_message_for_the_dead_letters(tmp_path):
    (tmp_path / "broken.avro").write_bytes(PACKETS[0][:-30])
    assert packets(tmp_path) == [PACKETS[0][:-30]]


def test_a_truncated_archive_is_named(tmp_path):
    path = night(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"night\.tar\.gz cannot be read"):
        packets(path)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_missing_path_or_an_empty_folder_is_named(tmp_path, name):
    with pytest.raises(DataError, match=r"name a file, a folder|holds no"):
        packets(tmp_path / name)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_a_source_gives_every_packet_once_and_ends(tmp_path, batch_size):
    source, messages = FileSource([night(tmp_path)], "ztf", batch_size), []
    while not source.is_exhausted:
        messages += source.poll()
    assert [message.value for message in messages] == PACKETS
    assert [message.offset for message in messages] == list(range(5))


def line(alert_id, value):
    return Outgoing("out", None, orjson.dumps({"value": value}), {"id": alert_id})


def test_the_last_answer_for_an_alert_stands_in_the_file(tmp_path):
    path = tmp_path / "night.jsonl"
    sink = JsonLinesSink(path, "out", "declined")
    sink.send([line("a", 1), line("b", 2)], [])
    sink.confirm()
    sink.send([line("a", 3)], [])
    sink.confirm()
    sink.close()
    assert [orjson.loads(line)["value"] for line in path.read_bytes().splitlines()] == [2, 3]


def test_dead_letters_are_listed_beside_the_results(tmp_path):
    sink = JsonLinesSink(tmp_path / "night.jsonl", "out", "declined")
    sink.send([Outgoing("dead-letters", None, b"\x00", {"reason": "DecodeError"})], [])
    sink.confirm()
    sink.close()
    sink.close()
    listed = dead_letter_file(tmp_path / "night.jsonl").read_bytes()
    assert orjson.loads(listed) == {"reason": "DecodeError"}


def test_declined_alerts_are_listed_beside_the_results(tmp_path):
    sink = JsonLinesSink(tmp_path / "night.jsonl", "out", "declined")
    sink.send([Outgoing("declined", None, b'{"reason": "star"}', {})], [])
    sink.close()
    assert declined_file(tmp_path / "night.jsonl").read_bytes() == b'{"reason": "star"}\n'


def test_no_dead_letters_leave_no_file(tmp_path):
    JsonLinesSink(tmp_path / "night.jsonl", "out", "declined").close()
    assert [path.name for path in tmp_path.iterdir()] == ["night.jsonl"]


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"night\.jsonl cannot be written"):
        JsonLinesSink(tmp_path / "file" / "night.jsonl", "out", "declined")


def test_what_cannot_be_read_is_told_in_its_place_and_the_rest_is_read(tmp_path):
    truncated = night(tmp_path, "a.tar.gz")
    truncated.write_bytes(truncated.read_bytes()[:-40])
    (tmp_path / "b.avro").symlink_to(tmp_path / "gone.avro")
    (tmp_path / "c.avro").write_bytes(PACKETS[0])
    messages = FileSource([tmp_path], "ztf", 100).poll()
    assert [m.value for m in messages if m.error is None][-1] == PACKETS[0]
    unreadable = [str(m.error) for m in messages if m.error]
    assert len(unreadable) == 2
    assert "a.tar.gz cannot be read" in unreadable[0]
    assert "b.avro cannot be read: No such file" in unreadable[1]
