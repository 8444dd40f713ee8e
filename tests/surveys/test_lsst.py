"""LSST alerts: what each field becomes, in whichever framing, and what may be missing."""

import io
from collections import Counter

import fastavro
import numpy as np
import orjson
import pytest

from broker_classifier.errors import DecodeError, SchemaError, SchemasUnavailableError
from broker_classifier.light_curve import BANDS, Kind
from broker_classifier.surveys import lsst
from broker_classifier.surveys.avro.schema_sources import folder_schemas
from tests.surveys.lsst_packets import forced, framed, packet, parsed, source, utc, write_schemas


@pytest.fixture(scope="module")
def decode(tmp_path_factory):
    schemas = folder_schemas(write_schemas(tmp_path_factory.mktemp("schemas")))
    decode_batch = lsst.decoder(schemas)
    return lambda *messages: decode_batch(messages)


def test_an_alert_has_its_objects_identity_and_its_own(decode):
    [alert] = decode(framed(packet(source(61000.25, diaSourceId=2**53 + 1))))
    assert (alert.survey, alert.object_id, alert.alert_id) == ("lsst", str(2**62 + 1), 2**53 + 1)
    assert (alert.mjd, alert.ra, alert.dec, alert.decline) == (61000.25, 10.0, -5.0, None)


def test_sources_and_forced_photometry_become_points(decode):
    past = [source(61000.0, "u", -20.5), source(60990.0, "y", 70.0)]
    [alert] = decode(framed(packet(source(61001.0, "i"), past, [forced(60980.0, "g", -3.0)])))
    curve = alert.curve
    assert curve.mjd.tolist() == [60980.0, 60990.0, 61000.0, 61001.0]
    assert curve.psf_flux.tolist() == [-3.0, 70.0, -20.5, 1000.0]
    assert [BANDS[band] for band in curve.band] == ["g", "y", "u", "i"]
    assert curve.kind.tolist() == [Kind.FORCED] + [Kind.DETECTION] * 3


@pytest.mark.parametrize("missing", ["psfFlux", "psfFluxErr", "band"])
def test_a_point_that_lacks_something_is_left_out(decode, missing):
    past = [source(61000.0) | {missing: None}, source(60999.0)]
    [alert] = decode(framed(packet(source(61001.0), past, [forced(60998.0) | {missing: None}])))
    assert alert.curve.mjd.tolist() == [60999.0, 61001.0]


@pytest.mark.parametrize("missing", ["psfFlux", "psfFluxErr", "band"])
def test_an_alert_whose_detection_lacks_something_is_declined(decode, missing):
    [alert] = decode(framed(packet(source(61001.0) | {missing: None})))
    assert (alert.decline, len(alert.curve)) == ("no_photometry", 0)


def test_withdrawn_sources_are_withdrawn_points(decode):
    past = [source(61000.0, timeWithdrawnMjdTai=61000.5), source(60999.0)]
    [alert] = decode(framed(packet(source(61001.0), past)))
    assert alert.curve.is_withdrawn.tolist() == [False, True, False]


def test_a_withdrawal_wins_over_the_same_source_not_withdrawn(decode):
    past = [source(61001.0, timeWithdrawnMjdTai=61001.5)]
    [alert] = decode(framed(packet(source(61001.0), past)))
    assert alert.curve.is_withdrawn.tolist() == [True]


def test_solar_system_alerts_are_declined(decode):
    new = source(61001.0, diaObjectId=None, ssObjectId=77)
    [alert] = decode(framed(packet(new, diaObject=None)))
    assert (alert.decline, len(alert.curve)) == ("solar_system", 0)
    assert "77" in alert.object_id


def test_an_object_container_brings_its_own_schema(decode):
    content, file = packet(source(61001.0), [source(61000.0)]), io.BytesIO()
    fastavro.writer(file, parsed(), [content])
    contained, bare = decode(file.getvalue(), framed(content))
    assert contained == bare


@pytest.mark.parametrize("message", [b"", b"\0\0\0", b"\1\0\0\4\xb3rest", b"{}"])
def test_what_is_not_framed_is_refused(decode, message):
    [error] = decode(message)
    assert isinstance(error, DecodeError)
    assert "Confluent" in str(error)


def test_a_message_of_an_unknown_schema_says_which(decode):
    unknown, known = decode(framed(packet(source(61001.0)), 1304), framed(packet(source(61001.0))))
    assert isinstance(unknown, SchemaError)
    assert "version 13.4" in str(unknown)
    assert known.mjd == 61001.0


def test_truncated_messages_are_refused(decode):
    message = framed(packet(source(61001.0), [source(61000.0)], [forced(60999.0)]))
    results = decode(*(message[:n] for n in range(len(message))))
    assert {type(result) for result in results} == {DecodeError}


def test_an_alert_without_identity_is_refused(decode):
    new = source(61001.0, diaObjectId=0)
    [error] = decode(framed(packet(new, diaObject={"diaObjectId": 0, "ra": 1.0})))
    assert "diaObjectId" in str(error)
    [error] = decode(framed(packet(source(61001.0, diaSourceId=0))))
    assert "diaSourceId" in str(error)


def test_nothing_is_decoded_while_the_schemas_are_unavailable():
    class Down:
        def schema(self, schema_id):
            raise SchemasUnavailableError

    with pytest.raises(SchemasUnavailableError):
        lsst.decoder(Down())([framed(packet(source(61001.0)))])


def test_a_head_is_the_alert_without_its_history(tmp_path):
    schemas = folder_schemas(write_schemas(tmp_path))
    asteroid = source(61002.0, diaObjectId=None, ssObjectId=7)
    messages = [framed(packet(source(61001.0), [source(61000.0)])), framed(packet(asteroid))]
    decoder = lsst.decoder(schemas)
    [head, declined], [whole, _] = decoder.heads(messages), decoder(messages)
    assert (head.object_id, head.alert_id, head.mjd) == (whole.object_id, whole.alert_id, 61001.0)
    assert head.curve.points.tolist() == whole.curve.points[-1:].tolist()
    assert declined.decline == "solar_system"


@pytest.mark.data
def test_every_published_version_is_what_fastavro_reads(shared_data):
    folder = shared_data / "alerts" / "lsst-schemas"
    schemas, fallbacks = folder_schemas(folder), Counter()
    assert set(schemas.by_id) == {704, 800, 900, 1000, 1100}
    decode_batch = lsst.decoder(schemas, fallbacks)
    for file in sorted(folder.rglob("fakeAlert.avro")):
        [content] = fastavro.reader(io.BytesIO(file.read_bytes()))
        schema_id = int(file.parts[-4]) * 100 + int(file.parts[-3])
        body = io.BytesIO()
        schema = fastavro.parse_schema(orjson.loads(schemas.schema(schema_id)))
        fastavro.schemaless_writer(body, schema, content)
        message = b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()
        contained, bare = decode_batch([file.read_bytes(), message])
        assert contained == bare
        assert_is(bare, content)
    assert not fallbacks


def assert_is(alert, content):
    new = content["diaSource"]
    assert alert.object_id == str(content["diaObject"]["diaObjectId"])
    assert (alert.alert_id, alert.mjd) == (new["diaSourceId"], utc(new["midpointMjdTai"]))
    points = {
        (utc(entry["midpointMjdTai"]), entry["band"]): entry["psfFlux"]
        for entry in [new, *(content["prvDiaSources"] or [])]
    }
    usable = {key: flux for key, flux in points.items() if flux is not None and key[1]}
    found = zip(alert.curve.mjd, alert.curve.band, alert.curve.psf_flux, strict=True)
    assert {(mjd, BANDS[band]): flux for mjd, band, flux in found} == pytest.approx(usable)
    assert np.all(np.diff(alert.curve.mjd) >= 0)
