"""Files told apart by content: every framing, alone, many, compressed, in archives and folders."""

import bz2
import gzip
import io
import json
import lzma
import tarfile

import pytest

from broker_classifier.errors import DataError
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.streams.files import FileSource
from tests.surveys.lasair_rows import LSST_ID, lite, row, source
from tests.ztf_packets import alert, container, measurement

RECORDS = [alert(f"ZTF{i}", [measurement(60000.0 + i)]) for i in range(3)]
PACKETS = [container(record) for record in RECORDS]
ROWS = [row(objectId=f"ZTF{i}", z=float("nan"), alert=lite(source(60000.0 + i))) for i in range(3)]
FRAMED = b"\x00\x00\x00\x04\x4da body"
BARE = b"\xbe\x8e\xbe\x02a bare body"
AS_ARRAY = b"[" + b",\n ".join(ROWS) + b"]"
AS_LINES = b"\n".join(ROWS) + b"\n\n"
COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def values(*paths):
    return [packet.value for packet in alert_packets(paths)]


def surveys(*paths):
    return [packet.survey for packet in alert_packets(paths)]


def written(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def tar_of(folder, name, members, mode="w"):
    with tarfile.open(folder / name, mode) as archive:
        for member, content in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return folder / name


@pytest.mark.parametrize(
    ("content", "packets", "survey"),
    [
        (PACKETS[0], PACKETS[:1], "ztf"),
        (FRAMED, [FRAMED], "lsst"),
        (BARE, [BARE], None),
        (ROWS[0], ROWS[:1], "lasair"),
        (AS_ARRAY, ROWS, "lasair"),
        (AS_LINES, ROWS, "lasair"),
        (b"", [b""], None),
    ],
)
@pytest.mark.parametrize("name", ["alerts", "alerts.dat", "alerts.avro"])
def test_a_named_file_is_told_by_its_bytes_not_its_name(tmp_path, name, content, packets, survey):
    file = written(tmp_path, name, content)
    assert values(file) == packets
    assert surveys(file) == [survey] * len(packets)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_thousands_of_alerts_in_one_container_come_one_each(tmp_path, codec):
    many = [RECORDS[0] | {"candid": i} for i in range(2000)]
    file = written(tmp_path, "night.avro", container(*many, codec=codec))
    packets = list(alert_packets([file]))
    assert len({packet.value for packet in packets}) == 2000
    assert {packet.survey for packet in packets} == {"ztf"}


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_files_are_read_through(tmp_path, suffix):
    written(tmp_path, f"a.jsonl{suffix}", COMPRESS[suffix](AS_LINES))
    written(tmp_path, f"b.avro{suffix}", COMPRESS[suffix](PACKETS[0]))
    assert values(tmp_path) == [*ROWS, PACKETS[0]]


@pytest.mark.parametrize(
    ("name", "mode"),
    [("n.tar", "w"), ("n.tgz", "w:gz"), ("n.tar.bz2", "w:bz2"), ("n.txz", "w:xz"), ("n", "w:gz")],
)
def test_archives_give_their_alerts_by_content_and_nothing_else(tmp_path, name, mode):
    members = {
        "README": b"{ not an alert }",
        "schema.avsc": b'{"type": "record", "name": "alert", "fields": []}',
        ".DS_Store": b"\x00\x00\x00\x01Bud1",
        "1": PACKETS[0],
        "2": FRAMED,
        "3": AS_ARRAY,
        "4.avro": b"broken",
    }
    path = tar_of(tmp_path, name, members, mode)
    assert values(path) == [PACKETS[0], FRAMED, *ROWS, b"broken"]
    assert [packet.origin for packet in alert_packets([path])][1] == f"{path}!2"


def test_an_archive_in_an_archive_is_read(tmp_path):
    inner = tar_of(tmp_path, "inner.tar.gz", {"a": PACKETS[0]}, "w:gz").read_bytes()
    outer = tar_of(tmp_path, "outer.tar", {"inner.tar.gz": inner, "b.avro": PACKETS[1]})
    assert values(outer) == PACKETS[:2]


def test_an_archive_without_members_gives_nothing(tmp_path):
    assert values(tar_of(tmp_path, "empty.tar", {})) == []


def test_a_folder_gives_everything_that_looks_like_alerts_at_any_depth(tmp_path):
    written(tmp_path, "a/notes.txt", b"not alerts")
    written(tmp_path, "a/alert.avsc", b'{"type": "record", "fields": []}')
    written(tmp_path, "a/results.jsonl", b'{"object_id": "ZTF21abiuvdk", "class": "SNIa"}')
    written(tmp_path, "b/one.avro", PACKETS[0])
    written(tmp_path, "c/without-suffix", FRAMED)
    written(tmp_path, "d/e/rows.json", AS_ARRAY)
    tar_of(tmp_path, "f.tar", {"x": PACKETS[1]})
    assert values(tmp_path) == [PACKETS[0], FRAMED, *ROWS, PACKETS[1]]


def test_rows_may_be_pretty_printed_and_follow_each_other(tmp_path):
    pretty = [json.dumps(json.loads(row), indent=2).encode() for row in ROWS]
    for content in (b"\n".join(pretty), b"[\n" + b",\n".join(pretty) + b"\n]\n"):
        assert values(written(tmp_path, "rows.json", content)) == pretty


def test_rows_keep_every_digit_and_byte(tmp_path):
    exact = b'{"diaObjectId": 18446744073709551617, "ra": 1.00000000000000000001, "x": "\xc3\xa9"}'
    assert values(written(tmp_path, "rows.json", b"\xef\xbb\xbf[" + exact + b"]")) == [exact]


def test_a_broken_line_among_rows_comes_as_it_is(tmp_path):
    lines = [b'{"objectId": "ZTF', *ROWS, b"\xff\xfe"]
    assert values(written(tmp_path, "rows.jsonl", b"\n".join(lines))) == lines


def test_an_array_that_breaks_off_gives_its_rows_and_the_rest_in_one_piece(tmp_path):
    broken = AS_ARRAY[: AS_ARRAY.rindex(b"60002")]
    *rows, rest = values(written(tmp_path, "rows.json", broken))
    assert rows == ROWS[:2]
    assert ROWS[2].startswith(rest)


def test_many_lines_are_not_read_before_they_are_wanted(tmp_path):
    file = written(tmp_path, "rows.jsonl", AS_LINES * 50_000)
    packets = alert_packets([file])
    assert next(packets).value == ROWS[0]
    file.write_bytes(b"")
    assert len(list(packets)) < 1000


@pytest.mark.parametrize("name", ["night.json.gz", "night.tar.gz", "night.jsonl.xz"])
def test_a_truncated_compressed_file_is_named(tmp_path, name):
    compress = lzma.compress if name.endswith("xz") else gzip.compress
    whole = compress(AS_LINES * 999)
    file = written(tmp_path, name, whole[: len(whole) // 2])
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        values(file)


def test_corrupted_compression_is_named(tmp_path):
    whole = bytearray(gzip.compress(AS_ARRAY * 99))
    whole[20:60] = bytes(40)
    with pytest.raises(DataError, match="cannot be read"):
        values(written(tmp_path, "rows.json.gz", bytes(whole)))


def test_the_given_survey_is_for_what_bytes_do_not_tell(tmp_path):
    files = [written(tmp_path, "a.avro", PACKETS[0]), written(tmp_path, "b.avro", BARE)]
    messages = FileSource(files, "elasticc", 10).poll()
    assert [message.survey for message in messages] == ["ztf", "elasticc"]


def expected_survey(path):
    """What a file of the development data is, by where it stands."""
    folder = path.parts[0]
    if path.suffix == ".json":
        return "lasair"
    return {"elasticc": "elasticc", "lsst-schemas": "lsst"}.get(folder, "ztf")


@pytest.mark.data
def test_every_real_file_is_recognised_as_what_it_is(shared_data):
    alerts = shared_data / "alerts"
    surveys = {packet.origin: packet.survey for packet in alert_packets([alerts])}
    files = [file for file in alerts.rglob("*") if file.suffix in (".avro", ".json")]
    assert len(files) > 200
    assert surveys == {str(f): expected_survey(f.relative_to(alerts)) for f in files}


@pytest.mark.data
def test_every_real_file_is_recognised_without_its_name_too(shared_data, tmp_path):
    alerts = shared_data / "alerts"
    files = sorted(file for file in alerts.rglob("*") if file.suffix in (".avro", ".avsc"))
    archive = tar_of(tmp_path, "all.tar", {str(i): f.read_bytes() for i, f in enumerate(files)})
    packets = [file for file in files if file.suffix == ".avro"]
    wanted = [expected_survey(file.relative_to(alerts)) for file in packets]
    assert surveys(archive) == wanted
    assert values(archive) == [file.read_bytes() for file in packets]


def test_a_row_of_lasair_lsst_is_a_row(tmp_path):
    assert surveys(written(tmp_path, "row", row(diaobjectid=LSST_ID))) == ["lasair"]
