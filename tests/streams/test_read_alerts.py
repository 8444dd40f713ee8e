"""Alerts of any survey out of files, in order; what is no alert is named with its place."""

import numpy as np
import pytest

from broker_classifier import read_alerts
from broker_classifier.errors import ConfigError, DataError, DecodeError, MessageError, SchemaError
from broker_classifier.streams.read_alerts import BATCH
from tests.surveys.lsst_packets import framed, packet, source, write_schemas
from tests.ztf_packets import alert, container, flare, measurement

RECORDS = [alert(f"ZTF{i}", [measurement(60000.0 + i)]) for i in range(BATCH + 5)]


@pytest.fixture
def night(tmp_path):
    """A container of many alerts."""
    path = tmp_path / "night.avro"
    path.write_bytes(container(*RECORDS))
    return path


@pytest.fixture
def broken(tmp_path):
    """Three files, the second of them cut short."""
    packets = flare("ZTF1", n=3)
    for name, content in zip("abc", (packets[0], packets[1][:-40], packets[2]), strict=True):
        (tmp_path / f"{name}.avro").write_bytes(content)
    return tmp_path


def test_every_alert_comes_in_its_order(night):
    alerts = list(read_alerts(night))
    assert [a.object_id for a in alerts] == [f"ZTF{i}" for i in range(len(RECORDS))]
    assert {a.survey for a in alerts} == {"ztf"}
    assert np.allclose([a.mjd for a in alerts], 60000.0 + np.arange(len(RECORDS)))


def test_a_path_may_be_text_and_may_be_several(night, tmp_path):
    (tmp_path / "other.avro").write_bytes(flare("ZTF9", n=1)[0])
    alerts = list(read_alerts([str(tmp_path / "other.avro"), night]))
    assert [a.object_id for a in alerts[:2]] == ["ZTF9", "ZTF0"]
    assert len(list(read_alerts(str(night)))) == len(RECORDS)


def test_surveys_may_be_mixed(tmp_path):
    schemas = write_schemas(tmp_path / "schemas")
    (tmp_path / "1.avro").write_bytes(flare("ZTF1", n=1)[0])
    (tmp_path / "2.bin").write_bytes(framed(packet(source(60006.0, "u", 1500.0))))
    (tmp_path / "3.avro").write_bytes(flare("ZTF3", n=1)[0])
    files = [tmp_path / name for name in ("1.avro", "2.bin", "3.avro")]
    assert [a.survey for a in read_alerts(files, schemas=schemas)] == ["ztf", "lsst", "ztf"]


def test_a_broken_message_ends_the_reading_and_is_named(broken):
    alerts = read_alerts(broken)
    assert next(alerts).object_id == "ZTF1"
    with pytest.raises(DecodeError, match=r"^alert 1 of .*b\.avro: "):
        next(alerts)


def test_a_broken_message_is_passed_over_on_request(broken):
    assert len(list(read_alerts(broken, on_error="skip"))) == 2


def test_a_broken_message_is_told_to_who_asks(broken):
    errors = []
    assert len(list(read_alerts(broken, on_error=errors.append))) == 2
    assert [type(error) for error in errors] == [DecodeError]


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path):
    (tmp_path / "a.avro").symlink_to(tmp_path / "gone")
    (tmp_path / "b.avro").write_bytes(flare("ZTF1", n=1)[0])
    errors = []
    assert len(list(read_alerts(tmp_path, survey="ztf", on_error=errors.append))) == 1
    assert [str(error) for error in errors] == [
        f"{tmp_path / 'a.avro'} cannot be read: No such file or directory"
    ]
    with pytest.raises(MessageError, match="cannot be read"):
        list(read_alerts(tmp_path))


def test_the_place_in_a_file_of_many_is_named(tmp_path):
    records = [*RECORDS[:2], RECORDS[2] | {"objectId": ""}]
    (tmp_path / "night.avro").write_bytes(container(*records))
    with pytest.raises(SchemaError, match=r"^alert 3 of .*night\.avro: the ZTF record"):
        list(read_alerts(tmp_path))


def test_bytes_that_do_not_tell_their_survey_need_it_said(tmp_path):
    (tmp_path / "bare").write_bytes(b"\xbe\x8e\xbe\x02a bare body")
    with pytest.raises(MessageError, match="give its survey"):
        list(read_alerts(tmp_path / "bare"))


def test_a_survey_that_does_not_exist_is_refused_at_once(night):
    with pytest.raises(ConfigError, match="no survey 'sdss': give one of ztf, lsst"):
        read_alerts(night, survey="sdss")


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere does not exist"):
        list(read_alerts(tmp_path / "nowhere"))
